"""Where among the hardest negatives something lies: ranks in a few bins (microscope of MoCHi)."""

from __future__ import annotations

import torch
from torch import Tensor

from mochi_mm.structures import Plan


def rank_bins(count: int) -> dict[str, slice]:
    """Return the columns of bins of ranks 1, 2 to 4, 5 to 16, ..., each four times as far.

    Args:
        count: Number of ranks; the last bin ends there.

    >>> list(rank_bins(20))
    ['1', '2_4', '5_16', '17_20']
    """
    bins, first, last = {}, 0, 1
    while first < count:
        end = min(last, count)
        bins[str(end) if end == first + 1 else f'{first + 1}_{end}'] = slice(first, end)
        first, last = end, 4 * last
    return bins


def mass_of_parents(plan: Plan, mass: Tensor, count: int) -> Tensor:
    """Return (N,) the mass of synthetic negatives by the rank of what they were made of.

    Args:
        plan: Draws of a mixer; a mixture of two hard negatives gives half its mass to each.
        mass: (B, S) of each synthetic negative.
        count: N, number of hard negatives.
    """
    parents = [plan.first] if plan.second is None else [plan.first, plan.second]  # (B, S) each
    found = torch.zeros(count, dtype=mass.dtype, device=mass.device)  # (N,)
    for parent in parents:
        found.index_add_(0, parent.flatten(), mass.flatten() / len(parents))
    return found
