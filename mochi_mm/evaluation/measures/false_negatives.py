"""False negatives: memory rows of the query's own class (Kalantidis et al. 2020)."""

from __future__ import annotations

from torch import Tensor

from mochi_mm.structures import Plan


def same_known_class(labels: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """Return which pairs share a class, and which can be told at all.

    Args:
        labels: (B,) class of each query, -1 if unknown.
        others: (B, N) class of its rows, -1 if unknown.

    Returns:
        same (B, N) bool, and known (B, N) bool: both classes are known.
    """
    known = (labels[:, None] >= 0) & (others >= 0)  # (B, N)
    return known & (labels[:, None] == others), known


def share_of_false(same: Tensor, counted: Tensor) -> tuple[float, float]:
    """Return the number of false negatives and of all entries: counts to be summed.

    Args:
        same: Bool, the entry is a false negative.
        counted: Bool, of the same shape: it is a negative, and its class is known.
    """
    return float((same & counted).sum()), float(counted.sum())


def synthetic_false_negatives(
    plan: Plan, same: Tensor, counted: Tensor
) -> tuple[dict[str, float], float]:
    """Return the number of synthetic negatives with false negatives as parents, and of all.

    A mixture of two hard negatives has two parents, all others have one in the memory: the query,
    or what is added, is no parent.

    Args:
        plan: Draws of a mixer.
        same: (B, N) bool, the hard negative is a false one.
        counted: (B, N) bool, its class is known.

    Returns:
        Counts to be summed: ``both`` and ``one`` (exactly one of two) for mixtures of two, ``only``
        for those with a single parent; and the number of those whose parents are all known.
    """
    first, known = same.gather(1, plan.first), counted.gather(1, plan.first)  # (B, S) each
    if plan.second is None:
        return dict(only=float((first & known).sum())), float(known.sum())
    second = same.gather(1, plan.second)  # (B, S)
    known = known & counted.gather(1, plan.second)  # (B, S)
    both, one = first & second & known, (first ^ second) & known
    return dict(both=float(both.sum()), one=float(one.sum())), float(known.sum())
