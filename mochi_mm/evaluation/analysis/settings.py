"""Measures of an analysis and their constants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mochi_mm.evaluation.measures.checks import check_positive

#: Measures of features, then measures of a memory and its hard negatives.
FEATURE_MEASURES = ('class_alignment', 'view_alignment', 'uniformity', 'rank')
MEMORY_MEASURES = ('accuracy', 'probabilities', 'false_negatives')
#: Taken where they are asked for by name: LiDAR looks at further views.
EXTRA_MEASURES = ('alignment_uniformity', 'decay', 'lidar')
MEASURES = (*FEATURE_MEASURES, *MEMORY_MEASURES, *EXTRA_MEASURES)
_SUMMED = ('view_alignment', 'uniformity')
LAYERS = ('backbone', 'neck')


@dataclass(frozen=True)
class AnalysisSettings:
    """The options of an analysis.

    Attributes:
        measures: Names out of ``MEASURES``. None takes all but ``EXTRA_MEASURES``, and names those
            that this checkpoint or its data do not allow; one that is asked for and not possible is
            an error.
        layers: Layers where features are taken: ``backbone`` (pooled) or ``neck`` (the embedding).
            None takes both, as for ``measures``.
        alpha: Exponent of the alignment.
        t: Factor in the exponent of the uniformity.
        num_hard: N, the hardest negatives that are looked at; None takes 1024, or a quarter of a
            memory shorter than 4096. How many are mixed is the head's own setting.
        num_queries: Images, evenly spaced over the data set, whose views meet the memory.
        seed: Random seed of their views and of the mixers' draws.
        lidar_images: Images, of those, that LiDAR takes as classes; more than features are wide.
        lidar_views: Views of each of them.
        lidar_delta: Added to the covariance within the images, see
            :func:`mochi_mm.evaluation.measures.lidar.lidar`.

    Raises:
        ValueError: An unknown name, a constant that is not above 0, ``alignment_uniformity``
            without the two that it is the sum of.
    """

    measures: Sequence[str] | None = None
    layers: Sequence[str] | None = None
    alpha: float = 2.0
    t: float = 2.0
    num_hard: int | None = None
    num_queries: int = 1024
    seed: int = 0
    lidar_images: int = 512
    lidar_views: int = 8
    lidar_delta: float = 1e-4

    def __post_init__(self) -> None:
        for name, given, allowed in (
            ('measures', self.measures, MEASURES),
            ('layers', self.layers, LAYERS),
        ):
            wrong = [word for word in given or () if word not in allowed]
            if wrong or (given is not None and not given):
                raise ValueError(
                    f'{name} is {list(given or ())}; expected some of {", ".join(allowed)}.'
                )
        check_positive('alpha', self.alpha)
        check_positive('t', self.t)
        check_positive('lidar_delta', self.lidar_delta)
        absent = [word for word in _SUMMED if not self.wanted(word)]
        if absent and self.required('alignment_uniformity'):
            raise ValueError(
                f'alignment_uniformity is the sum of two measures, and {absent[0]} is not among '
                f'{list(self.measures or ())}; add it.'
            )
        for name in ('lidar_images', 'lidar_views'):
            if not isinstance(number := getattr(self, name), int) or number < 2:
                raise ValueError(f'{name} is {number!r}; expected an integer >= 2.')
        for name, value in (('num_hard', self.num_hard), ('num_queries', self.num_queries)):
            if value is not None and (isinstance(value, bool) or value != int(value) or value < 1):
                raise ValueError(f'{name} is {value!r}; expected an integer >= 1.')

    def wanted(self, measure: str) -> bool:
        """Return whether ``measure`` is to be taken."""
        if self.measures is None:
            return measure not in EXTRA_MEASURES
        return measure in self.measures

    def required(self, measure: str) -> bool:
        """Return whether ``measure`` was asked for by name."""
        return self.measures is not None and measure in self.measures

    def record(self) -> dict[str, Any]:
        """Return the constants as plain data."""
        constants: dict[str, Any] = dict(
            alpha=self.alpha,
            t=self.t,
            num_hard=self.num_hard,
            num_queries=self.num_queries,
            seed=self.seed,
        )
        if self.wanted('lidar'):
            names = ('lidar_images', 'lidar_views', 'lidar_delta')
            constants.update({name: getattr(self, name) for name in names})
        return constants
