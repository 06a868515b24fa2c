"""Many paths in little memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

import numpy as np


class PathTable:
    """A list of paths held as one byte string and an array.

    A list of a million ``str`` would be copied into every data loading worker, because reading one
    writes its reference count; this is shared.

    Args:
        paths: The paths, in order.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        encoded = [os.fsencode(path) for path in paths]
        self._text = b''.join(encoded)
        self._ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __iter__(self) -> Iterator[str]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> str:
        if not 0 <= index < len(self):
            raise IndexError(f'path {index} of {len(self)}')
        return os.fsdecode(self._text[self._ends[index] : self._ends[index + 1]])
