"""Labels of the candidates of a block, where it was made without."""

from __future__ import annotations

from torch import Tensor

from mochi_mm.distributed.rows import gather_rows
from mochi_mm.structures import Anchors, Block


def candidate_labels(block: Block, anchors: Anchors, labels: Tensor) -> Tensor:
    """Return (M,) the label of each candidate; those of other ranks are gathered.

    Args:
        block: With labels; or ``batch`` of these anchors, or ``batch_keys``.
        anchors: Rows that are compared.
        labels: (A,) label of each anchor.

    Raises:
        ValueError: Another block without labels.
    """
    if block.labels is not None:
        return block.labels
    if block.name == 'batch':
        return gather_rows(labels)
    if block.name == 'batch_keys':
        own = gather_rows(labels[: anchors.num_images])  # of the images of all ranks
        return own.repeat(block.similarity.shape[1] // len(own))  # once for each target view
    raise ValueError(f'the block {block.name!r} has no labels, which a class oracle needs.')
