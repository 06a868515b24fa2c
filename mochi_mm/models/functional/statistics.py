"""What a contrastive step looks like from outside: the numbers logged beside the loss."""

from __future__ import annotations

import torch
from torch import Tensor


def contrastive_accuracy(positive: Tensor, hardest: Tensor) -> Tensor:
    """Return the share of queries whose key is nearer than their hardest negative, a scalar.

    Args:
        positive: (B,) cosine with the key.
        hardest: (B,) largest cosine with a negative.
    """
    return (positive > hardest).float().mean()


def mean_finite(values: Tensor) -> Tensor:
    """Return the mean of the finite entries, NaN when there is none (masked entries are -inf)."""
    finite = torch.isfinite(values)
    total = torch.where(finite, values, torch.zeros_like(values)).sum()
    return total / finite.sum()
