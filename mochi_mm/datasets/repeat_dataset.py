"""A data set several times over, for longer epochs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mochi_mm.argument_kinds import is_integer
from mochi_mm.datasets.parts import hand_on
from mochi_mm.datasets.wrapped_dataset import WrappedDataset
from mochi_mm.registry import DATASETS


@DATASETS.register_module()
class RepeatDataset(WrappedDataset):
    """The samples of a data set ``times`` over, so that an epoch is that many passes.

    Each repetition is drawn anew: a key keeps the index in the whole. ``sample_idx`` is that of the
    image, the same in each repetition, so own keys and the rows of a bank are known by it.

    Args:
        dataset: A data set of this project, as a config or an object.
        times: Number of repetitions, >= 1.
        pipeline: For a data set that has none of its own.

    Attributes:
        parts: The data set, in a list.
        targets: (len, classes), where the data set has ``targets``.
        true_labels: (len,) int64, where the data set has ``true_labels``.

    Raises:
        ValueError: Less than once, a data set of another library, a pipeline here and there.
    """

    def __init__(self, dataset: Any, times: int, pipeline: Sequence[Any] = ()) -> None:
        if not is_integer(times) or times < 1:
            raise ValueError(f'RepeatDataset.times is {times!r}; expected a whole number >= 1.')
        super().__init__(dataset, pipeline)
        self.times = times
        rows = np.tile(np.arange(len(self.source)), times)
        self.labels = self.source.labels[rows]
        hand_on(self.source, self, rows)

    @property
    def num_images(self) -> int:
        """Return the number of different images."""
        return self.source.num_images

    def fingerprint(self) -> str:
        """Return that of the data set: its files are the same."""
        return self.source.fingerprint()

    def row(self, index: int) -> int:
        """Return the number in the data set of sample ``index``."""
        return index % len(self.source)
