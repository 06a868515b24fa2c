"""Keys of the batch as candidates."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mochi_mm.distributed.rows import gather_rows, rank, row_counts
from mochi_mm.models.blocks.batch import check_images
from mochi_mm.structures import Anchors, Block, Views


def batch_keys_block(
    anchors: Anchors, views: Views, similarity: Callable[[Tensor, Tensor], Tensor]
) -> Block:
    """Return the block ``batch_keys``: the keys of all ranks, for queries of :func:`pair_anchors`.

    A query of a pair (i, j) meets the keys of the view j; those of other views are dropped.
    ``same_image`` marks its own key. With B images of this rank, M of all ranks, P pairs and T
    target views in them, A = P B anchors meet T M candidates.

    Args:
        anchors: Queries, pair by pair.
        views: Unit rows.
        similarity: Function of (A, D) and (T M, D) rows that returns (A, T M).

    Raises:
        ValueError: The batch of all ranks is a single image.
    """
    counts = row_counts(views.num_images, anchors.rows.device)
    total, first = sum(counts), sum(counts[: rank()])
    check_images(total)
    targets = list(dict.fromkeys(j for _, j in views.pairs))
    candidates = torch.cat([gather_rows(views.target[j], counts) for j in targets])  # (T M, D)
    device = candidates.device
    sets = torch.arange(len(targets), device=device).repeat_interleave(total)  # (T M,)
    number = torch.arange(total, device=device).repeat(len(targets))  # (T M,) of the image
    wanted = torch.cat(
        [
            torch.full_like(anchors.image[: views.num_images], targets.index(j))
            for _, j in views.pairs
        ]
    )  # (A,) the set that a query meets
    other = wanted[:, None] != sets  # (A, T M)
    own = (anchors.image + first)[:, None] == number  # (A, T M)
    return Block(
        'batch_keys',
        similarity(anchors.rows, candidates),
        rows=candidates,
        dropped=other,
        mixable=~other,
        same_image=own & ~other,
    )
