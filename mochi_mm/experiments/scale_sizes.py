"""What a data set of many images takes on disk and in memory, by the formats of this project."""

from __future__ import annotations

import numpy as np

from mochi_mm.datasets.packs.pack_record import SHAPES

#: Bytes before the numbers of a ``.npy`` file of these shapes.
HEADER = 128
_INTEGER, _FLOAT = 8, 4


def pack_index_bytes(images: int, name_bytes: float) -> int:
    """Return the bytes of the arrays of a pack's index.

    Args:
        images: N.
        name_bytes: Mean length of the path of an image.

    >>> pack_index_bytes(1000, 20)
    101024
    """
    total = len(SHAPES) * HEADER
    for name, (kind, row) in SHAPES.items():
        each = np.dtype(kind).itemsize * int(np.prod(row, dtype=np.int64))
        total += round(images * name_bytes) if name == 'names' else images * each
    return total


def memory_bytes(rows: int, dim: int) -> int:
    """Return the bytes of a memory: float32 rows, a label and a data set index each.

    >>> memory_bytes(65_536, 128)
    34603008
    """
    return rows * (dim * _FLOAT + 2 * _INTEGER)


def table_bytes(images: int, integers: int = 1, floats: int = 1) -> int:
    """Return the bytes of a :class:`SampleTable` with so many columns of each type."""
    return images * (integers * _INTEGER + floats * _FLOAT)


def checkpoint_bytes(trained: int, averaged: int, memory: int = 0) -> int:
    """Return the bytes of a checkpoint: weights, momentum, averaged encoder, memories.

    Args:
        trained: Trained numbers, each with its momentum.
        averaged: Numbers of the averaged encoder.
        memory: Bytes of memories and tables.
    """
    return _FLOAT * (2 * trained + averaged) + memory


def order_bytes(images: int, ranks: int) -> int:
    """Return the largest memory of the order of samples in an epoch, of one rank.

    The order of all images, and seven arrays of the rank's share of them at most (measured).
    """
    return images * _INTEGER + 7 * -(-images // ranks) * _INTEGER
