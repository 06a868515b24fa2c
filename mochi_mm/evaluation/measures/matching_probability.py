"""Matching probability of the hardest negatives (Kalantidis et al. 2020, section 3)."""

from __future__ import annotations

import torch
from torch import Tensor


@torch.no_grad()
def hardest_probabilities(
    positive: Tensor,
    negatives: Tensor,
    num: int,
    temperature: float,
    synthetic: Tensor | None = None,
) -> Tensor:
    """Return the ``num`` largest matching probabilities of each query's negatives, largest first.

    ``p_z = exp(q.z / tau) / sum exp(q.z' / tau)``, the sum over the own key and all negatives,
    the synthetic ones too where they are given. The gradient of InfoNCE pushes a negative in
    proportion to it.

    Args:
        positive: (B, P) cosines with the own keys.
        negatives: (B, K) cosines with the memory, -inf where a row does not count (probability 0).
        num: N, at most K.
        temperature: tau, > 0.
        synthetic: (B, S) cosines with the synthetic negatives; they are ranked with the others.

    Returns:
        (B, N) float64.

    Raises:
        ValueError: ``num`` below 1 or above K.
    """
    if not 1 <= num <= negatives.shape[1]:
        raise ValueError(
            f'num is {num} but there are {negatives.shape[1]} negatives; expected '
            f'1 <= num <= {negatives.shape[1]}: lower num_hard or lengthen the memory.'
        )
    blocks = [negatives] if synthetic is None else [negatives, synthetic]
    pushing = torch.cat(blocks, dim=1).double() / temperature  # (B, K + S)
    pulling = positive.double() / temperature  # (B, P)
    total = torch.cat([pulling, pushing], dim=1).logsumexp(dim=1, keepdim=True)  # (B, 1)
    return (pushing.topk(num, dim=1).values - total).exp()
