"""Rows of a memory as candidates."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from mochi_mm.models.memories.base_memory import BaseMemory
from mochi_mm.structures import Anchors, Block


def memory_block(
    anchors: Anchors,
    memory: BaseMemory,
    similarity: Callable[[Tensor, Tensor], Tensor],
    labels: Tensor | None = None,
) -> Block:
    """Return the block ``memory``: the rows from before this step, which push.

    Args:
        anchors: A unit rows.
        memory: A copy of its K rows is taken, so that nothing written later reaches the backward.
        similarity: Function of (A, D) and (K, D) rows that returns (A, K).
        labels: (K,) label of each row; None takes those that were written with them.
    """
    bank = memory.snapshot()
    return Block(
        'memory',
        similarity(anchors.rows, bank),
        rows=bank,
        mixable=True,
        labels=memory.labels.clone() if labels is None else labels,
        held=memory.held(),
    )
