"""Classes of the data set beside candidates, for statistics alone."""

from __future__ import annotations

from torch import Tensor

from mochi_mm.distributed.rows import gather_rows
from mochi_mm.models.memories import BaseMemory
from mochi_mm.structures import Anchors, Block


def with_classes(block: Block, anchors: Anchors, memory: BaseMemory | None, key: str) -> Block:
    """Return the block with the class of each anchor and candidate, where samples have labels.

    Args:
        block: Candidates; own keys and the like are returned as they are.
        anchors: Anchors of this rank.
        memory: The memory, whose rows were written with these labels.
        key: Name of the labels among the samples.
    """
    labels = anchors.samples.get(key)
    if labels is None or block.classes is not None:
        return block
    if block.name == 'memory' and memory is not None:
        return block.but(classes=(labels, memory.labels.clone()))
    if block.name == 'batch':
        return block.but(classes=(labels, gather_rows(labels)))
    if block.name == 'batch_keys':
        images = gather_rows(of_images(labels, anchors))  # (M,)
        sets = block.similarity.shape[1] // len(images)
        return block.but(classes=(labels, images.repeat(sets)))
    return block


def of_images(values: Tensor, anchors: Anchors) -> Tensor:
    """Return (B,) of values (A,) that are the same for all anchors of an image."""
    return values.new_zeros(anchors.num_images).scatter_(0, anchors.image, values)
