"""Stability of neighbors: whether the same images lie near each other as before."""

from __future__ import annotations

import torch
from torch import Tensor

from mochi_mm.evaluation.measures.checks import check_features
from mochi_mm.models.functional.unit_rows import unit_rows


@torch.no_grad()
def nearest_neighbors(features: Tensor, k: int, chunk: int = 1024) -> Tensor:
    """Return, for each sample, the k others of the largest cosine: (M, k) int64, nearest first.

    Of equal cosines the sample with the smaller index is nearer, so equal features give equal
    neighbors.

    Args:
        features: (M, C) features, any scale.
        k: Number of neighbors, below M.
        chunk: Samples compared with all at a time.

    Raises:
        ValueError: k out of range, features that are not finite.
    """
    check_features(features)
    if not 1 <= k < len(features):
        raise ValueError(
            f'k is {k} and there are {len(features)} samples; expected at least 1 and fewer than '
            'samples.'
        )
    rows = unit_rows(features)
    found = []
    for start in range(0, len(rows), chunk):
        block = rows[start : start + chunk]
        cosines = block @ rows.T  # (chunk, M)
        own = torch.arange(start, start + len(block), device=rows.device)
        cosines[own - start, own] = -torch.inf
        found.append(cosines.sort(dim=1, descending=True, stable=True).indices[:, :k])
    return torch.cat(found)


@torch.no_grad()
def neighbor_stability(first: Tensor, second: Tensor) -> float:
    """Return the share of neighbors that stay: the mean over samples of ``|A & B| / k``.

    ``A`` and ``B`` are the k nearest neighbors of a sample in two sets of features. 1 where all
    stay; neighbors drawn at random share ``k / (M - 1)``.

    Args:
        first: (M, k) indices, none twice in a row, as :func:`nearest_neighbors` returns them.
        second: (M, k), of the same samples.

    Raises:
        ValueError: Shapes that differ.
    """
    if first.shape != second.shape or first.ndim != 2 or not first.numel():
        raise ValueError(
            f'neighbors of shapes {tuple(first.shape)} and {tuple(second.shape)}; expected equal '
            'ones (samples, k).'
        )
    stayed = (first[:, :, None] == second[:, None, :]).any(dim=2)  # (M, k)
    return float(stayed.double().mean())
