"""The weights of DCLW (Yeh et al. 2022, Decoupled Contrastive Learning)."""

from __future__ import annotations

from torch import Tensor


def decoupled_weight(positive: Tensor, sigma: float) -> Tensor:
    """Return ``2 - e^(p/sigma) / mean(e^(p/sigma))``: less pull for pairs that are near already.

    The mean is 1. A pair far nearer than all others can get a weight below 0.

    Args:
        positive: (B,) cosine of the two views of each image, of the whole batch.
        sigma: Width, > 0.
    """
    return 2 - len(positive) * (positive / sigma).softmax(0)
