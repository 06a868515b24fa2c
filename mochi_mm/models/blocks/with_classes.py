"""Classes of the data set beside candidates, for statistics alone."""

from __future__ import annotations

from torch import Tensor

from mochi_mm.distributed.rows import gather_rows
from mochi_mm.models.memories import BaseMemory
from mochi_mm.structures import Anchors, Block


def with_classes(block: Block, anchors: Anchors, memory: BaseMemory | None, key: str) -> Block:
    """Return the block with the class of each anchor and candidate, where samples have labels.

    Args:
        block: Rows of the memory, or the anchors of all ranks.
        anchors: Anchors of this rank.
        memory: The memory that the candidates are rows of; None for the anchors of all ranks.
        key: Name of the labels among the samples; the memory's rows were written with it.
    """
    labels = anchors.samples.get(key)
    if labels is None:
        return block
    candidates: Tensor = gather_rows(labels) if memory is None else memory.labels.clone()
    return block.but(classes=(labels, candidates))
