"""A data set some of whose classes are known, and those in part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mochi_mm.argument_kinds import is_integer
from mochi_mm.datasets.parts import check_once, true_labels
from mochi_mm.datasets.rounded_up import rounded_up
from mochi_mm.datasets.wrapped_dataset import WrappedDataset
from mochi_mm.randomness import SampleKey
from mochi_mm.registry import DATASETS
from mochi_mm.utils.checks import check_choice, check_integer, check_open_share

# Stream of the draw: an epoch that no run has keeps it off those of samples.
_WHICH = 2**23 + 2
PARTS = ('all', 'unlabeled')


@DATASETS.register_module()
class OpenWorld(WrappedDataset):
    """A data set with labels for a share of the images of its first classes, and for no other.

    Of n images of each of the first ``num_known`` classes ``floor(labeled_share * n)`` keep their
    label; all other images, those of the new classes among them, have the label -1. Samples have
    ``true_label``, that of the data set, or the right one where the data set made labels wrong
    (``NoisyLabels``); ``PackInputs(extra_keys=['true_label'])`` hands it on.
    Which images keep it depends on the seed and their number alone: a smaller share is part of a
    larger one. (The setting of ORCA and OpenCon.)

    Args:
        dataset: A labeled data set of this project, as a config or an object.
        num_known: Number of known classes, at least 1 and fewer than there are.
        labeled_share: Share of labeled images of each known class, in (0, 1).
        seed: Random seed of the choice.
        part: ``all``, for training; ``unlabeled``, the images without a label alone, *with* their
            true label, to measure on what was trained on (transductive).
        pipeline: For a data set that has none of its own.

    Attributes:
        rows: (len,) int64, number of each image in the data set.
        true_labels: (len,) int64, the right labels.
        parts: The data set, in a list.

    Raises:
        ValueError: No known or no new class, a share outside (0, 1) or so small that a known class
            keeps no label, images without a label, a class without an image, a data set that
            repeats its images or is of another library, a pipeline here and there.

    >>> import numpy as np
    >>> from mochi_mm.datasets import ShapeScenes
    >>> dataset = OpenWorld(ShapeScenes(num_scenes=100), num_known=3, labeled_share=0.5)
    >>> len(dataset.classes), np.bincount(dataset.labels + 1).tolist()
    (10, [85, 5, 5, 5])
    """

    def __init__(
        self,
        dataset: Any,
        num_known: int,
        labeled_share: float = 0.5,
        seed: int = 0,
        part: str = 'all',
        pipeline: Sequence[Any] = (),
    ) -> None:
        super().__init__(dataset, pipeline)
        check_integer('OpenWorld seed', seed, 0, least=0)
        self.num_known, self.labeled_share, self.seed = num_known, labeled_share, seed
        self.part = check_choice('OpenWorld part', part, PARTS)
        labels = np.asarray(self.source.labels, dtype=np.int64)
        self._check(labels)
        labeled = self._drawn(labels)
        self.rows = np.arange(len(labels)) if part == 'all' else np.flatnonzero(~labeled)
        self.true_labels = true_labels(self.source)[self.rows]
        self.labels = np.where(labeled, labels, -1) if part == 'all' else self.true_labels

    def fingerprint(self) -> str:
        """Return a digest of that of the data set and of which image has which label."""
        return self.mark(np.concatenate([self.rows, self.labels]))

    def row(self, index: int) -> int:
        """Return the number in the data set of sample ``index``."""
        return int(self.rows[index])

    def sample(self, index: int) -> dict[str, Any]:
        """Return the input of the pipeline, with the label of here and ``true_label``."""
        own = dict(gt_label=int(self.labels[index]), true_label=int(self.true_labels[index]))
        return dict(super().sample(index), sample_idx=int(index), **own)

    def _drawn(self, labels: np.ndarray) -> np.ndarray:
        """Return (n,) bool, the images that keep their label."""
        order = SampleKey(0, self.seed, _WHICH).generator().random(len(labels))
        labeled = np.zeros(len(labels), dtype=bool)
        for label in range(self.num_known):
            chosen = self.drawn_of(labels, label, self.labeled_share, order)
            if len(chosen) == 0:
                number = int((labels == label).sum())
                raise ValueError(
                    f'labeled_share {self.labeled_share} of the {number} images of class {label} '
                    'is no image; expected at least 1 of each known class: raise it to '
                    f'{rounded_up(1 / number)} or more.'
                )
            labeled[chosen] = True
        return labeled

    def _check(self, labels: np.ndarray) -> None:
        """Refuse a split without known or new classes, and data that cannot be split."""
        check_once(self.source, 'OpenWorld')
        check_open_share('OpenWorld labeled_share', self.labeled_share)
        if (labels < 0).any():
            raise ValueError(
                f'{int((labels < 0).sum())} of {len(labels)} images within OpenWorld have no '
                'label; expected a labeled data set, of which OpenWorld hides labels itself.'
            )
        count = len(self.classes) or int(labels.max(initial=-1)) + 1
        known = self.num_known
        if not is_integer(known) or not 1 <= known < count:
            raise ValueError(
                f'OpenWorld num_known is {known!r} and the data set has {count} classes; expected '
                'at least 1 known class and at least 1 that is new.'
            )
        if empty := np.flatnonzero(np.bincount(labels, minlength=count) == 0).tolist():
            raise ValueError(
                f'class {empty[0]} of the {count} within OpenWorld has no image; expected at least '
                '1 of each.'
            )
