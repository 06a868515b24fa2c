"""The long tail of a data set: exponentially fewer images from class to class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mochi_mm.datasets.long_tail_counts import long_tail_rows
from mochi_mm.datasets.parts import check_once, hand_on
from mochi_mm.datasets.wrapped_dataset import WrappedDataset
from mochi_mm.registry import DATASETS
from mochi_mm.utils.checks import check_integer


@DATASETS.register_module()
class LongTail(WrappedDataset):
    """A part of a data set: all of its first class, ``factor`` as many of its last.

    ``n_c = floor( n_0 * factor^(c / (C - 1)) )``, the counts of CIFAR-10-LT and CIFAR-100-LT, with
    ``n_0`` the images of the smallest class. Images keep their order; ``sample_idx`` numbers those
    that are left, from 0. A smaller factor of the same seed takes a part of a larger one's images.
    ``tools/dataset/make_long_tail.py`` writes the same choice as a list of files.

    Args:
        dataset: A labeled data set of this project, as a config or an object.
        factor: Images of the last class over those of the first, in (0, 1]. The imbalance of 100 in
            tables is 0.01.
        seed: Random seed of the choice; 0 in the field.
        pipeline: For a data set that has none of its own.

    Attributes:
        parts: The data set, in a list.
        rows: (len,) int64, number of each image in the data set.
        targets: (len, classes), where the data set has ``targets``.
        true_labels: (len,) int64, where the data set has ``true_labels``.

    Raises:
        ValueError: A factor outside (0, 1], images without a label, a class without an image, a
            data set that repeats its images or is of another library, a pipeline here and there.
    """

    def __init__(
        self, dataset: Any, factor: float, seed: int = 0, pipeline: Sequence[Any] = ()
    ) -> None:
        super().__init__(dataset, pipeline)
        check_integer('LongTail seed', seed, 0, least=0)
        self.factor, self.seed = factor, seed
        check_once(self.source, 'LongTail')
        labels = np.asarray(self.source.labels)
        count = len(self.classes) or int(labels.max(initial=-1)) + 1
        self.rows = long_tail_rows(labels, count, factor, seed)
        self.labels = labels[self.rows]
        hand_on(self.source, self, self.rows)

    def fingerprint(self) -> str:
        """Return a digest of that of the data set and of the choice."""
        return self.mark(self.rows)

    def row(self, index: int) -> int:
        """Return the number in the data set of sample ``index``."""
        return int(self.rows[index])

    def sample(self, index: int) -> dict[str, Any]:
        """Return the input of the pipeline, with a ``sample_idx`` of the part."""
        return dict(super().sample(index), sample_idx=int(index))
