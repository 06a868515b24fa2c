"""Choosing the hardest negatives of each query (Kalantidis et al. 2020)."""

from __future__ import annotations

import torch
from torch import Tensor


def select_hardest(similarity: Tensor, num_hard: int) -> tuple[Tensor, Tensor]:
    """Return the ``num_hard`` largest entries of each row, largest first.

    Args:
        similarity: (B, K) cosines; -inf marks rows that must not be chosen, they come last.
        num_hard: N <= K.

    Returns:
        Their columns (B, N) int64 and their values (B, N), both without gradient.
    """
    values, index = torch.topk(similarity.detach(), num_hard, dim=1, sorted=True)
    return index, values
