"""Draws of InterCLR from a bank: a positive of the anchor's cluster, negatives of others."""

from __future__ import annotations

import torch
from torch import Tensor

SAMPLERS = ('random', 'semi_hard', 'semi_easy', 'hard')


def draw_scores(
    indices: Tensor, length: int, generator: torch.Generator | None, device: torch.device
) -> Tensor:
    """Return (A, n) scores in [0, 1): the largest of a set is a uniform draw from it.

    Anchors share n numbers, each anchor rotated by its own, so a draw depends on the generator and
    the data set index alone, not on the rank or the place in the batch.

    Args:
        indices: (A,) data set index of each anchor, in [0, n).
        length: n.
        generator: The same on all ranks.
        device: Of the result.
    """
    rows, turns = torch.rand(2, length, generator=generator, device=device)
    return (rows[None] + turns[indices][:, None]) % 1.0


def draw_positive(score: Tensor, member: Tensor) -> tuple[Tensor, Tensor]:
    """Return the row (A,) of the best score among the members (A, n), and whether there is one."""
    best, row = score.masked_fill(~member, -1.0).max(1)
    return row, best >= 0


def draw_negatives(
    cosine: Tensor, score: Tensor, other: Tensor, num: int, pool: int, sampler: str
) -> tuple[Tensor, Tensor]:
    """Return rows (A, N) and which of them (A, N) may be used; N is ``num`` or what there is.

    Args:
        cosine: (A, n) of anchors and rows, without gradient.
        score: (A, n) random.
        other: (A, n) bool, rows of other clusters.
        num: Negatives to be drawn.
        pool: Rows that ``semi_hard`` and ``semi_easy`` draw from.
        sampler: ``random`` from all rows; ``semi_hard`` from the ``pool`` nearest, ``semi_easy``
            from the ``pool`` farthest ones; ``hard``: the nearest ones of other clusters. Of a pool
            what is in the anchor's cluster is left out.
    """
    pool, num = min(pool, cosine.shape[1]), min(num, cosine.shape[1])
    if sampler == 'hard':
        value, row = cosine.masked_fill(~other, -torch.inf).topk(num, dim=1)
        return row, value > -torch.inf
    chance = score.masked_fill(~other, -1.0)  # (A, n)
    if sampler == 'random':
        best, row = chance.topk(num, dim=1)
        return row, best >= 0
    within = cosine.topk(pool, dim=1, largest=sampler == 'semi_hard').indices  # (A, P)
    best, place = chance.gather(1, within).topk(min(num, pool), dim=1)  # (A, N)
    return within.gather(1, place), best >= 0
