"""Embeddings of the batch itself as candidates."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mochi_mm.distributed.rows import gather_rows, gather_rows_with_gradient, rank, row_counts
from mochi_mm.structures import Anchors, Block


def batch_block(
    anchors: Anchors,
    similarity: Callable[[Tensor, Tensor], Tensor],
    labels: Tensor | None = None,
) -> Block:
    """Return the block ``batch``: the anchors of all ranks, with gradient; itself is dropped.

    Candidates stand image by image, the V views of an image together, ranks one after the other.

    Args:
        anchors: A unit rows of this rank.
        similarity: Function of (A, D) and (M, D) rows that returns (A, M).
        labels: (A,) label of each anchor, where those of the candidates are asked for.

    Raises:
        ValueError: The batch of all ranks is a single image.
    """
    num_views = anchors.num_views
    counts = row_counts(len(anchors.rows))
    candidates = gather_rows_with_gradient(anchors.rows, counts)  # (M, D)
    check_images(len(candidates) // num_views)
    row = torch.arange(len(candidates), device=candidates.device)  # (M,)
    own = own_rows(row, len(anchors.rows), counts)[:, None]  # (A, 1): the anchor's own candidate
    itself = own == row
    return Block(
        'batch',
        similarity(anchors.rows, candidates),
        rows=candidates,
        dropped=itself,
        mixable=~itself,
        labels=None if labels is None else gather_rows(labels),
        itself=itself,
        same_image=(own // num_views == row // num_views) & ~itself,
    )


def own_rows(values: Tensor, length: int, counts: list[int]) -> Tensor:
    """Return the ``length`` rows of gathered values (M, ...) that belong to this rank.

    Args:
        values: Rows of all ranks, one rank after the other.
        length: Rows of this rank.
        counts: Rows of each rank.
    """
    first = sum(counts[: rank()])
    return values[first : first + length]


def check_images(count: int) -> None:
    """Accept a batch of all ranks with at least two images.

    Raises:
        ValueError: Fewer.
    """
    if count < 2:
        raise ValueError(
            f'the batch of all ranks holds {count} image(s); expected at least 2, there is nothing '
            'to push from or to compare with. Set a larger batch_size.'
        )
