"""Embeddings of universum views as candidates."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from mochi_mm.distributed.rows import gather_rows, gather_rows_with_gradient, row_counts
from mochi_mm.models.blocks.batch import check_images, own_rows
from mochi_mm.structures import Anchors, Block


def universum_block(
    anchors: Anchors,
    universum: Mapping[int, Tensor],
    similarity: Callable[[Tensor, Tensor], Tensor],
    labels: Tensor,
) -> Block:
    """Return the block ``universum``: the universum rows of all ranks, with gradient.

    Each is made of an anchor, stands at its place and has its label; ``itself`` marks the one that
    is made of the anchor, which is dropped.

    Args:
        anchors: A unit rows of this rank, image by image.
        universum: Unit rows (B, D) by view, made of the views of the anchors in their order.
        similarity: Function of (A, D) and (M, D) rows that returns (A, M).
        labels: (A,) label of each anchor.

    Raises:
        ValueError: The batch of all ranks is a single image.
    """
    counts = row_counts(len(anchors.rows))
    made = torch.stack(list(universum.values()), dim=1).flatten(0, 1)  # (A, D), as the anchors
    candidates = gather_rows_with_gradient(made, counts)  # (M, D)
    check_images(len(candidates) // anchors.num_views)
    row = torch.arange(len(candidates), device=candidates.device)  # (M,)
    own = own_rows(row, len(anchors.rows), counts)[:, None] == row  # (A, M)
    return Block(
        'universum',
        similarity(anchors.rows, candidates),
        rows=candidates,
        dropped=own,
        mixable=~own,
        labels=gather_rows(labels),
        itself=own,
    )
