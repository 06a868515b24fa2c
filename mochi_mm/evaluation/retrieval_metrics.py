"""What a ranking is worth, from the places of its positives: average precision, recall at k."""

from __future__ import annotations

import torch
from torch import Tensor

#: Ways to measure the area under precision and recall.
METHODS = ('plain', 'trapezoid')


def positive_ranks(
    similarity: Tensor, relevant: Tensor, ignored: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return the places of the positives of each query, the nearest first, and their number.

    A positive stands behind every negative that is as near as it is, so that a network whose
    features are all alike finds nothing.

    Args:
        similarity: (Q, M) of queries and candidates, finite.
        relevant: (Q, M) bool, positives.
        ignored: (Q, M) bool, candidates that are taken out of the ranking, such as the query itself
            or junk; None for none.

    Returns:
        ranks (Q, P) int64 from 0, P the largest number of positives (at least 1), those beyond a
        query's number behind all candidates; and numbers (Q,) int64.

    >>> relevant = torch.tensor([[True, False, True, True, False]])
    >>> positive_ranks(torch.tensor([[0.9, 0.8, 0.7, 0.6, 0.5]]), relevant)
    (tensor([[0, 2, 3]]), tensor([3]))
    """
    positive, negative = relevant, ~relevant
    if ignored is not None:
        positive, negative = positive & ~ignored, negative & ~ignored
    numbers = positive.sum(1)  # (Q,)
    most = max(int(numbers.max()), 1)
    nearest = similarity.masked_fill(~positive, -torch.inf).topk(most, dim=1).values  # (Q, P)
    others = similarity.masked_fill(~negative, -torch.inf).sort(1).values  # (Q, M) rising
    # Negatives that are at least as near; those that are none stand at -inf, before all.
    before = similarity.shape[1] - torch.searchsorted(others, nearest)  # (Q, P)
    return torch.arange(most, device=similarity.device) + before, numbers


def average_precisions(ranks: Tensor, numbers: Tensor, method: str = 'plain') -> Tensor:
    """Return (Q,) float64 the average precision of each query, in [0, 1]; 0 without a positive.

    With the j-th of P positives (from 0) at place r (from 0): ``plain`` is the mean of ``(j + 1) /
    (r + 1)``; ``trapezoid``, of the Oxford, Paris and Copydays benchmarks, the mean of that and
    ``j / r`` (1 where r = 0), halved.

    Args:
        ranks: (Q, P) int64 from :func:`positive_ranks`.
        numbers: (Q,) int64, likewise.
        method: One of the two.

    Raises:
        ValueError: An unknown method.

    >>> ranks, numbers = torch.tensor([[0, 2, 3]]), torch.tensor([3])
    >>> round(float(average_precisions(ranks, numbers)), 6)
    0.805556
    >>> round(float(average_precisions(ranks, numbers, 'trapezoid')), 6)
    0.763889
    """
    if method not in METHODS:
        raise ValueError(f'the method is {method!r}; expected one of {", ".join(METHODS)}.')
    precision = _precisions(ranks)
    if method == 'trapezoid':
        place = torch.arange(ranks.shape[1], device=ranks.device, dtype=torch.float64)
        before = torch.where(ranks == 0, 1.0, place / ranks.clamp_min(1))
        precision = (precision + before) / 2
    return _mean_over_positives(precision, numbers)


def found_any(ranks: Tensor, numbers: Tensor, k: int) -> Tensor:
    """Return (Q,) float64, 1 where a positive is among the first k: recall at k of metric learning.

    Args:
        ranks: (Q, P) int64 from :func:`positive_ranks`.
        numbers: (Q,) int64, likewise.
        k: Candidates that are looked at.
    """
    return ((ranks[:, 0] < k) & (numbers > 0)).double()


def share_found(ranks: Tensor, numbers: Tensor, k: int) -> Tensor:
    """Return (Q,) float64, the share of a query's positives among the first k; 0 without any.

    Recall at k of information retrieval; below 1 where k is less than the number of positives.

    Args:
        ranks: (Q, P) int64 from :func:`positive_ranks`.
        numbers: (Q,) int64, likewise.
        k: Candidates that are looked at.
    """
    return _mean_over_positives((ranks < k).double(), numbers)


def r_precision(ranks: Tensor, numbers: Tensor) -> Tensor:
    """Return (Q,) float64, the share of positives among the first R, R their number.

    Args:
        ranks: (Q, P) int64 from :func:`positive_ranks`.
        numbers: (Q,) int64, likewise.
    """
    return _mean_over_positives((ranks < numbers[:, None]).double(), numbers)


def average_precision_at_r(ranks: Tensor, numbers: Tensor) -> Tensor:
    """Return (Q,) float64, MAP@R: precision at each positive among the first R, summed, over R.

    Args:
        ranks: (Q, P) int64 from :func:`positive_ranks`.
        numbers: (Q,) int64, likewise; R.
    """
    return _mean_over_positives(_precisions(ranks) * (ranks < numbers[:, None]), numbers)


def _precisions(ranks: Tensor) -> Tensor:
    """Return (Q, P) float64 precision at the place of each positive."""
    found = torch.arange(1, ranks.shape[1] + 1, device=ranks.device, dtype=torch.float64)
    return found / (ranks + 1)


def _mean_over_positives(values: Tensor, numbers: Tensor) -> Tensor:
    real = torch.arange(values.shape[1], device=values.device) < numbers[:, None]  # (Q, P)
    return (values * real).sum(1) / numbers.clamp_min(1)
