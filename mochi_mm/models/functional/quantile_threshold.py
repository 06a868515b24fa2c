"""A learned quantile of similarities: one step of its threshold (GloFND)."""

from __future__ import annotations

import torch
from torch import Tensor

BETAS, EPSILON = (0.9, 0.98), 1e-8


def threshold_step(
    threshold: Tensor, first: Tensor, second: Tensor, gradient: Tensor, epoch: int, lr: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return thresholds and their moments after one step of Adam, kept in [-1, 1].

    The gradient of ``alpha v + mean_j max(s_j - v, 0)`` at the threshold v is ``alpha - share of
    s_j > v``, so v goes to the (1 - alpha) quantile of the similarities s. The bias of the moments
    is corrected by the number of the epoch, as in the authors' code (vibalcam/GloFND), not by a
    count of visits.

    Args:
        threshold: (B,) cosines.
        first: (B,) mean of the gradient.
        second: (B,) mean of its square.
        gradient: (B,).
        epoch: Counted from 0.
        lr: Learning rate, above 0.

    >>> one = torch.ones(1)
    >>> value, *_ = threshold_step(one, 0 * one, 0 * one, 0.3 * one, epoch=70, lr=0.05)
    >>> round(float(value), 6)
    0.969125
    """
    decay, decay_square = BETAS
    first = decay * first + (1 - decay) * gradient
    second = decay_square * second + (1 - decay_square) * gradient**2
    mean = first / (1 - decay ** (epoch + 1))
    scale = (second / (1 - decay_square ** (epoch + 1))).sqrt() + EPSILON
    return torch.clamp(threshold - lr * mean / scale, -1.0, 1.0), first, second
