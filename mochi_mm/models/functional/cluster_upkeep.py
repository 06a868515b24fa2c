"""Clusters of a bank whose rows move: their centroids, small ones merged, empty ones refilled."""

from __future__ import annotations

import torch
from torch import Tensor

from mochi_mm.models.functional.mixing import MIN_NORM


def cluster_means(rows: Tensor, labels: Tensor, old: Tensor) -> Tensor:
    """Return the direction (k, D) of the mean of each cluster's rows.

    Args:
        rows: (n, D) unit rows.
        labels: (n,) cluster of each; -1 belongs to none.
        old: (k, D) centroids before, kept by clusters without a row, or whose rows cancel out.
    """
    member = labels >= 0  # (n,)
    sums = torch.zeros_like(old).index_add_(
        0, labels.clamp_min(0), rows * member[:, None].to(rows)
    )  # (k, D)
    norm = torch.linalg.vector_norm(sums, dim=1, keepdim=True)
    return torch.where(norm < MIN_NORM, old, sums / norm.clamp_min(MIN_NORM))


def cluster_sizes(labels: Tensor, k: int) -> Tensor:
    """Return (k,) int64, rows of each cluster."""
    return torch.bincount(labels[labels >= 0], minlength=k)


def merge_small(rows: Tensor, labels: Tensor, centroids: Tensor, min_size: int) -> Tensor:
    """Return the labels (n,) with clusters under ``min_size`` rows emptied into the nearest others.

    Where all clusters are small, the largest one stays.

    Args:
        rows: (n, D) unit rows.
        labels: (n,) cluster of each; -1 belongs to none.
        centroids: (k, D) unit rows.
        min_size: Least rows of a cluster that stays.
    """
    sizes = cluster_sizes(labels, len(centroids))
    large = sizes >= min_size
    large[sizes.argmax()] = True
    moving = ((labels >= 0) & ~large[labels.clamp_min(0)]).nonzero().flatten()  # (m,)
    cosines = (rows[moving] @ centroids.T).masked_fill(~large, -torch.inf)  # (m, k)
    merged = labels.clone()
    merged[moving] = cosines.argmax(1)
    return merged


def refill_empty(
    rows: Tensor, labels: Tensor, k: int, min_size: int, generator: torch.Generator | None
) -> Tensor:
    """Return the labels (n,) with empty clusters filled by halves of the largest ones.

    One after the other, each takes a half, by 2-means, of the cluster that is the largest then;
    while that has fewer than ``2 min_size`` rows (and 2), the others stay empty.

    Args:
        rows: (n, D) unit rows.
        labels: (n,) cluster of each; -1 belongs to none.
        k: Number of clusters.
        min_size: Least rows of a cluster.
        generator: For the first rows of 2-means.
    """
    filled, sizes = labels.clone(), cluster_sizes(labels, k)
    for empty in (sizes == 0).nonzero().flatten().tolist():
        largest = int(sizes.argmax())
        if int(sizes[largest]) < max(2, 2 * min_size):
            break
        members = (filled == largest).nonzero().flatten()
        half = two_means(rows[members], generator)
        filled[members[half]] = empty
        sizes[empty] = half.sum()
        sizes[largest] -= half.sum()
    return filled


def two_means(rows: Tensor, generator: torch.Generator | None, iterations: int = 10) -> Tensor:
    """Return (m,) bool, one of two halves of m unit rows, neither of them empty.

    2-means by cosine, from a random row and the one farthest from it. Rows that are all alike are
    halved in their order.

    Args:
        rows: (m, D), m >= 2.
        generator: For the random row.
        iterations: Steps at most.
    """
    first = torch.randint(len(rows), (), generator=generator, device=rows.device)
    seeds = torch.stack([rows[first], rows[(rows @ rows[first]).argmin()]])  # (2, D)
    order = torch.arange(len(rows), device=rows.device)
    half = order >= len(rows) // 2
    for _ in range(iterations):
        cosines = rows @ seeds.T  # (m, 2)
        now = cosines[:, 1] > cosines[:, 0]
        if not bool(now.any()) or bool(now.all()):
            return half
        if torch.equal(now, half):
            break
        half, seeds = now, cluster_means(rows, now.long(), seeds)
    return half
