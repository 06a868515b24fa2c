"""Which samples of a data set could not be read, known to all its workers."""

from __future__ import annotations

import torch


class FaultRecord:
    """Marks samples in memory that loader workers and the main process share.

    Args:
        size: Number of samples.
    """

    def __init__(self, size: int) -> None:
        self._marks = torch.zeros(size, dtype=torch.uint8).share_memory_()
        self._changed = torch.zeros(1, dtype=torch.uint8).share_memory_()
        self._told: set[int] = set()

    def add(self, index: int) -> None:
        """Mark a sample; from any process."""
        self._marks[index] = 1
        self._changed[0] = 1

    def new(self) -> list[int]:
        """Return the samples marked since the last call; in the main process."""
        if not self._changed[0]:
            return []
        self._changed[0] = 0
        found = [i for i in self._marks.nonzero().flatten().tolist() if i not in self._told]
        self._told.update(found)
        return found

    def share(self) -> float:
        """Return the share of the data set that was reported by :meth:`new`."""
        return len(self._told) / len(self._marks)
