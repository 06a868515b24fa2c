"""Search for candidates of the anchor's class by similarity, without labels.

By a number or a threshold (Huynh et al. 2022, FNC), or by a share of the candidates.
"""

from __future__ import annotations

import torch
from torch import Tensor

AGGREGATES = ('max', 'mean')


def support_scores(support: Tensor, candidates: Tensor, aggregate: str = 'max') -> Tensor:
    """Return the score of each candidate by the views of each image, (B, M), without gradient.

    Args:
        support: (B, S, D) unit rows, S views of each image.
        candidates: (M, D) unit rows.
        aggregate: Score from the S cosines: their ``max`` or ``mean``.
    """
    if aggregate == 'mean':  # the mean of cosines is the cosine with the mean
        return support.detach().mean(1) @ candidates.detach().T
    # S of (B, M), one view of all images at a time
    cosines = [view @ candidates.detach().T for view in support.detach().unbind(1)]
    return torch.stack(cosines).amax(0)  # (S, B, M) to (B, M)


def find_false_negatives(
    scores: Tensor, top_k: int | None = 10, threshold: float | None = 0.7
) -> Tensor:
    """Return (B, M) bool: candidates among the ``top_k`` of their row and above ``threshold``.

    Args:
        scores: (B, M); -inf for what can never be one, such as the own image.
        top_k: Most candidates per image; None drops this condition, more than M means all.
        threshold: Bound that the score, a cosine, must exceed; None drops this condition.
    """
    found = scores > -torch.inf if threshold is None else scores > threshold
    if top_k is None:
        return found
    nearest = scores.topk(min(top_k, scores.shape[1]), dim=1).indices  # (B, min(top_k, M))
    return found & torch.zeros_like(found).scatter_(1, nearest, True)


def find_nearest_share(scores: Tensor, share: float) -> Tensor:
    """Return (A, M) bool: the nearest ``floor(share * n)`` of the n candidates of each row.

    Args:
        scores: (A, M); -inf for what can never be one, which n does not count either.
        share: In [0, 1].
    """
    possible = scores > -torch.inf  # (A, M)
    # A hair more, so that 0.3 of 10 are 3 in float32 as well.
    numbers = (share * possible.sum(1, keepdim=True) + 1e-4).floor()  # (A, 1)
    most = min(scores.shape[1], int(share * scores.shape[1] + 1e-4))
    nearest = scores.topk(most, dim=1).indices  # (A, most), the nearest first
    among = torch.arange(most, device=scores.device) < numbers  # (A, most)
    return torch.zeros_like(possible).scatter_(1, nearest, among) & possible
