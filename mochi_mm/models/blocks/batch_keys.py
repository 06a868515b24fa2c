"""Keys of the batch as candidates."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mochi_mm.distributed.rows import gather_rows, gather_rows_with_gradient, rank, row_counts
from mochi_mm.models.blocks.batch import check_images
from mochi_mm.structures import Anchors, Block, MixedInputs, Views


def batch_keys_block(
    anchors: Anchors,
    views: Views,
    similarity: Callable[[Tensor, Tensor], Tensor],
    gradient: bool = False,
) -> Block:
    """Return the block ``batch_keys``: the keys of all ranks, for queries of :func:`pair_anchors`.

    A query of a pair (i, j) meets the keys of the view j; those of other views are dropped.
    ``same_image`` marks its own key, which pulls; the query of a mixed image is pulled by its
    partner's key as well, each by its share (see :class:`MixedInputs`). With B images of this rank,
    M of all ranks, P pairs and T target views in them, A = P B anchors meet T M candidates.

    Args:
        anchors: Queries, pair by pair.
        views: Unit rows.
        similarity: Function of (A, D) and (T M, D) rows that returns (A, T M).
        gradient: Keep the gradient of the keys, those of other ranks included.

    Raises:
        ValueError: The batch of all ranks is a single image.
    """
    counts = row_counts(views.num_images)
    total, first = sum(counts), sum(counts[: rank()])
    check_images(total)
    targets = list(dict.fromkeys(j for _, j in views.pairs))
    gather = gather_rows_with_gradient if gradient else gather_rows
    candidates = torch.cat([gather(views.target[j], counts) for j in targets])  # (T M, D)
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
    own = ((anchors.image + first)[:, None] == number) & ~other  # (A, T M)
    block = Block(
        'batch_keys',
        similarity(anchors.rows, candidates),
        rows=candidates,
        dropped=other,
        mixable=~other,
        same_image=own,
    )
    mixed = MixedInputs.of(anchors.samples)
    if mixed is None:
        return block.attract(own)
    theirs = ((mixed.partner + first)[:, None] == number) & ~other  # (A, T M)
    weights = mixed.weights(anchors.image)  # (A, 2)
    return block.attract(own | theirs).but(pull=own * weights[:, :1] + theirs * weights[:, 1:])


def without_partners(block: Block) -> Block:
    """Return the block with the own key of each query alone to pull, as statistics count it.

    Args:
        block: From :func:`batch_keys_block`; the key of the partner of a mixed query is dropped.
    """
    own = block.need('same_image')  # (A, T M)
    return block.drop((block.need('pull') > 0) & ~own).attract(own)
