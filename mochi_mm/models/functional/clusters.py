"""Pseudo-labels from centroids: the nearest one, how sure it is, which labels are accepted."""

from __future__ import annotations

import torch
from torch import Tensor


def nearest_centroids(
    rows: Tensor, centroids: Tensor, temperature: float = 0.1, chunk: int = 8192
) -> tuple[Tensor, Tensor]:
    """Return the nearest centroid of each row and its confidence, without gradient.

    The confidence is the softmax of the cosines over the temperature, at the nearest centroid.
    [recalled] form of Chen et al., Incremental False Negative Detection for Contrastive Learning,
    ICLR 2022.

    Args:
        rows: (n, D) unit rows.
        centroids: (k, D) unit rows.
        temperature: Divides the cosines, > 0.
        chunk: Rows whose k cosines are held at a time.

    Returns:
        labels (n,) int64, the first of equally near ones, and confidence (n,) in [1/k, 1].

    >>> rows = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    >>> labels, confidence = nearest_centroids(rows, torch.eye(2))
    >>> labels.tolist(), round(float(confidence[1]), 4)  # 1 / (1 + e^-2)
    ([0, 0, 1], 0.8808)
    """
    labels, confidence = [], []
    for part in rows.detach().split(chunk):
        cosines = part @ centroids.detach().T  # (chunk, k)
        largest, nearest = cosines.max(1)
        total = ((cosines - largest[:, None]) / temperature).exp().sum(1)  # (chunk,)
        labels.append(nearest)
        confidence.append(1 / total)
    return torch.cat(labels), torch.cat(confidence)


def most_confident(confidence: Tensor, share: float) -> Tensor:
    """Return (n,) bool: the ``round(share * n)`` most confident; of equal ones the first.

    Args:
        confidence: (n,).
        share: In [0, 1].
    """
    order = torch.argsort(confidence, descending=True, stable=True)  # (n,)
    taken = torch.zeros_like(confidence, dtype=torch.bool)
    taken[order[: round(share * len(confidence))]] = True
    return taken
