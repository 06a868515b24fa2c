"""Candidates of the anchor's class."""

from __future__ import annotations

from torch import Tensor

from mochi_mm.structures import Block


def same_label(labels: Tensor, block: Block) -> Tensor:
    """Return (A, M) bool, where a candidate has the anchor's label; -1 matches nothing.

    Args:
        labels: (A,) label of each anchor.
        block: Candidates with labels; what is dropped matches nothing.
    """
    # (A, M)
    same = (labels[:, None] == block.need('labels')[None]) & (labels[:, None] >= 0)
    return same if block.itself is None else same & ~block.itself
