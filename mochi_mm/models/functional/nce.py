"""Noise-contrastive estimation against a bank (Gutmann and Hyvarinen 2010; Tian et al. 2020)."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def log_normalizer(logits: Tensor, num_data: int) -> Tensor:
    """Return ``log( n mean exp(logits) )``, the constant Z that makes the scores probabilities.

    Args:
        logits: (B, 1 + K) cosines over temperature, the first batch's.
        num_data: n, rows of the bank.

    Returns:
        A scalar without gradient.
    """
    flat = logits.detach().flatten()
    return torch.logsumexp(flat, dim=0) - math.log(len(flat)) + math.log(num_data)


def binary_nce(logits: Tensor, log_z: Tensor, num_data: int, eps: float = 1e-7) -> Tensor:
    """Return the loss of telling data from noise, summed over one positive and K noise draws.

    With ``P = exp(logit) / Z`` and ``c = K / n``: ``-log( P_0 / (P_0 + c + eps) ) - sum_k log( c /
    (P_k + c + eps) )``, in the logarithm throughout, so no exponential overflows.

    Args:
        logits: (B, 1 + K) cosines over temperature, the positive first.
        log_z: Scalar, ``log Z``.
        num_data: n, rows of the bank; the noise is uniform over them.
        eps: Added to the denominator as in the authors' code; 0 gives the equation.

    Returns:
        (B,) losses in nats.
    """
    log_p = logits - log_z
    noise = (logits.shape[1] - 1) / num_data
    total = torch.logaddexp(log_p, torch.full_like(log_p, math.log(noise + eps)))
    data = total[:, 0] - log_p[:, 0]
    return data + (total[:, 1:] - math.log(noise)).sum(1)
