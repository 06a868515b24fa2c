"""Measures of an analysis and their constants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mochi_mm.evaluation.measures.checks import check_positive

#: Measures of features, then measures of a memory and its hard negatives.
FEATURE_MEASURES = ('class_alignment', 'view_alignment', 'uniformity', 'rank')
MEMORY_MEASURES = ('accuracy', 'probabilities', 'false_negatives')
MEASURES = (*FEATURE_MEASURES, *MEMORY_MEASURES)
LAYERS = ('backbone', 'neck')


@dataclass(frozen=True)
class AnalysisSettings:
    """The options of an analysis.

    Attributes:
        measures: Names out of ``MEASURES``. None takes all, and names those that this checkpoint
            or its data do not allow; one that is asked for and not possible is an error.
        layers: Layers where features are taken: ``backbone`` (pooled) or ``neck`` (the embedding).
            None takes both, as for ``measures``.
        alpha: Exponent of the alignment.
        t: Factor in the exponent of the uniformity.
        num_hard: N, the hardest negatives that are looked at; None takes 1024, or a quarter of a
            memory shorter than 4096. How many are mixed is the head's own setting.
        num_queries: Images, evenly spaced over the data set, whose views meet the memory.
        seed: Random seed of their views and of the mixers' draws.

    Raises:
        ValueError: An unknown name, a constant that is not above 0.
    """

    measures: Sequence[str] | None = None
    layers: Sequence[str] | None = None
    alpha: float = 2.0
    t: float = 2.0
    num_hard: int | None = None
    num_queries: int = 1024
    seed: int = 0

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
        for name, value in (('num_hard', self.num_hard), ('num_queries', self.num_queries)):
            if value is not None and (isinstance(value, bool) or value != int(value) or value < 1):
                raise ValueError(f'{name} is {value!r}; expected an integer >= 1.')

    def wanted(self, measure: str) -> bool:
        """Return whether ``measure`` is to be taken."""
        return self.measures is None or measure in self.measures

    def required(self, measure: str) -> bool:
        """Return whether ``measure`` was asked for by name."""
        return self.measures is not None and measure in self.measures

    def record(self) -> dict[str, Any]:
        """Return the constants as plain data."""
        return dict(
            alpha=self.alpha,
            t=self.t,
            num_hard=self.num_hard,
            num_queries=self.num_queries,
            seed=self.seed,
        )
