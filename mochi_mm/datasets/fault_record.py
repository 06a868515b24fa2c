"""Record of the samples that could not be read, shared by all workers of a data set."""

from __future__ import annotations

from collections.abc import Iterable

import torch


class FaultRecord:
    """Mark samples in memory that loader workers and the main process share.

    Args:
        size: Number of samples.
        told: Samples that are known to be unreadable already; :meth:`new` does not return them.
    """

    def __init__(self, size: int, told: Iterable[int] = ()) -> None:
        self._marks = torch.zeros(size, dtype=torch.uint8).share_memory_()
        self._changed = torch.zeros(1, dtype=torch.uint8).share_memory_()
        self.told: set[int] = set(told)

    def add(self, index: int) -> None:
        """Mark a sample; from any process."""
        self._marks[index] = 1
        self._changed[0] = 1

    def new(self) -> list[int]:
        """Return the marked samples that are not in ``told`` yet; in the main process."""
        if not self._changed[0]:
            return []
        self._changed[0] = 0
        return [i for i in self._marks.nonzero().flatten().tolist() if i not in self.told]

    def share(self) -> float:
        """Return the share of the data set that is in ``told``."""
        return len(self.told) / len(self._marks)
