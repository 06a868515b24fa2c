"""A learned Bregman divergence between embeddings, and similarities from it."""

from __future__ import annotations

import torch
from torch import Tensor


def bregman_divergence(outputs: Tensor, candidates: Tensor) -> Tensor:
    """Return (A, M) ``D_ij = g_w(i)(z_i) - g_w(j)(z_i)``, w the index of the largest output.

    With the convex generator ``phi(z) = max_k g_k(z)`` it is what phi loses at z_i when the part
    that is largest at z_j takes the place of the largest: never below 0, 0 for all that share a
    winner, and not symmetric. Gradient flows through the outputs of i alone: which part wins at j
    has none. Source: Rezaei et al., Deep Bregman Divergence for Contrastive Learning of Visual
    Representations (arXiv 2109.07455), as in the released code.

    Args:
        outputs: (A, K) outputs of K sub-networks.
        candidates: (M, K) outputs for the other side.

    >>> bregman_divergence(torch.tensor([[2.0, 1.0, 0.5]]), torch.eye(3))
    tensor([[0.0000, 1.0000, 1.5000]])
    """
    largest = outputs.gather(1, outputs.detach().argmax(1, keepdim=True))  # (A, 1)
    return largest - outputs.index_select(1, candidates.detach().argmax(1))


def gaussian_similarity(divergence: Tensor, sigma: float) -> Tensor:
    """Return ``exp(-D / (2 sigma^2))``, in (0, 1]; 1 where nothing diverges.

    Args:
        divergence: Divergences >= 0, of any shape.
        sigma: Width of the similarity, > 0.
    """
    return torch.exp(divergence * (-0.5 / sigma**2))


def count_winners(outputs: Tensor) -> Tensor:
    """Return the number of sub-networks that are largest for some row, int64 scalar.

    Args:
        outputs: (M, K).

    >>> int(count_winners(torch.tensor([[1.0, 0.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0]])))
    2
    """
    wins = outputs.new_zeros(outputs.shape[1], dtype=torch.int64)  # (K,)
    return wins.scatter(0, outputs.detach().argmax(1), 1).sum()
