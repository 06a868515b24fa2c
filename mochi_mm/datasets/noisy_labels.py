"""A data set some of whose labels are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mochi_mm.argument_kinds import is_number
from mochi_mm.datasets.parts import check_once, true_labels
from mochi_mm.datasets.rounded_up import rounded_up
from mochi_mm.datasets.wrapped_dataset import WrappedDataset
from mochi_mm.randomness import SampleKey
from mochi_mm.registry import DATASETS
from mochi_mm.utils.checks import check_integer

# Streams of the draws: an epoch that no run has keeps them off those of samples.
_WHICH, _OTHER = 2**23, 2**23 + 1


@DATASETS.register_module()
class NoisyLabels(WrappedDataset):
    """A data set in which the share ``share`` of each class has the label of another class.

    Of n images of a class ``floor(share * n)`` are wrong, each of another class drawn evenly
    (symmetric noise). The draws of an image depend on the seed and its number alone: with the same
    seed, the wrong labels of a smaller share are wrong, and the same, under a larger one. Samples
    have ``true_label``, that of the data set, or the one before where the data set itself made
    labels wrong or hid them; ``PackInputs(extra_keys=['true_label'])`` hands it on. Images without
    a label keep that.

    Args:
        dataset: A labeled data set of this project, as a config or an object.
        share: Share of wrong labels in each class, in [0, 1].
        seed: Random seed of the choice.
        pipeline: For a data set that has none of its own.

    Attributes:
        true_labels: (len,) int64, the right labels.
        wrong: (len,) bool, where a label differs from it.
        parts: The data set, in a list.

    Raises:
        ValueError: A share outside [0, 1], or above 0 and so small that no label is wrong, fewer
            than 2 classes, a data set that repeats its images or is of another library, a pipeline
            here and there.

    >>> from mochi_mm.datasets import ShapeScenes
    >>> dataset = NoisyLabels(ShapeScenes(num_scenes=100), share=0.4, seed=0)
    >>> int(dataset.wrong.sum()), dataset.sample(3)['true_label']
    (40, 3)
    """

    def __init__(
        self, dataset: Any, share: float = 0.4, seed: int = 0, pipeline: Sequence[Any] = ()
    ) -> None:
        super().__init__(dataset, pipeline)
        check_integer('NoisyLabels seed', seed, 0, least=0)
        self.share, self.seed = share, seed
        self.true_labels = true_labels(self.source)
        given = np.asarray(self.source.labels, dtype=np.int64)
        self._check(given)
        self.labels = self._drawn(given, len(self.classes) or int(given.max()) + 1)
        self._check_acts(given)
        self.wrong = (self.labels >= 0) & (self.labels != self.true_labels)

    def fingerprint(self) -> str:
        """Return a digest of that of the data set and of the labels."""
        return self.mark(self.labels)

    def row(self, index: int) -> int:
        """Return ``index``: no sample moves."""
        return index

    def sample(self, index: int) -> dict[str, Any]:
        """Return the input of the pipeline, with the label of here and ``true_label``."""
        own = dict(gt_label=int(self.labels[index]), true_label=int(self.true_labels[index]))
        return dict(super().sample(index), **own)

    def _drawn(self, given: np.ndarray, count: int) -> np.ndarray:
        """Return (len,) int64 labels out of ``count``, some of them wrong."""
        labels, number = given.copy(), len(given)
        # One number of a stream for each image: of a larger data set the first ones are the same.
        order = SampleKey(0, self.seed, _WHICH).generator().random(number)
        other = SampleKey(0, self.seed, _OTHER).generator().random(number)
        for label in range(count):
            chosen = self.drawn_of(given, label, self.share, order)
            step = 1 + np.floor(other[chosen] * (count - 1)).astype(np.int64)  # 1 to count - 1
            labels[chosen] = (label + step) % count
        return labels

    def _check(self, given: np.ndarray) -> None:
        if not is_number(self.share) or not 0 <= self.share <= 1:
            raise ValueError(
                f'NoisyLabels share is {self.share!r}; expected the share of wrong labels, from 0 '
                'to 1, such as 0.4.'
            )
        found = len(np.unique(given[given >= 0]))
        if found < 2:
            raise ValueError(
                f'the data set within NoisyLabels has labels of {found} classes; expected at least '
                '2, since a wrong label is that of another class.'
            )
        check_once(self.source, 'NoisyLabels')

    def _check_acts(self, given: np.ndarray) -> None:
        """Refuse a share above 0 that changes no label of any class."""
        if self.share > 0 and np.array_equal(self.labels, given):
            most = int(np.bincount(given[given >= 0]).max())
            raise ValueError(
                f'NoisyLabels share {self.share} of the {most} images of the largest class is no '
                'image, so no label would be wrong; expected 0, or a share of at least 1 image: '
                f'raise it to {rounded_up(1 / most)} or more.'
            )
