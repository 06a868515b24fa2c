"""Classes of the data set beside candidates, for statistics alone."""

from __future__ import annotations

from torch import Tensor

from mochi_mm.models.blocks.candidate_labels import candidate_labels
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
    if block.name in ('batch', 'batch_keys'):
        # What labels the block has may be others, such as pseudo-labels.
        return block.but(
            classes=(labels, candidate_labels(block.but(labels=None), anchors, labels))
        )
    return block


def of_images(values: Tensor, anchors: Anchors) -> Tensor:
    """Return (B,) of values (A,) that are the same for all anchors of an image."""
    return values.new_zeros(anchors.num_images).scatter_(0, anchors.image, values)
