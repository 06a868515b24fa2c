"""Effective rank: over how many directions features spread (RankMe)."""

from __future__ import annotations

import torch
from torch import Tensor

from mochi_mm.evaluation.measures.checks import check_features


@torch.no_grad()
def singular_values(features: Tensor, chunk: int = 4096) -> Tensor:
    """Return the singular values of (M, C) features, largest first: (min(M, C),) float64.

    Blocks of rows are reduced to a triangle one after the other (QR), which leaves the singular
    values as they are and bounds the memory by ``(chunk + C) * C`` numbers.

    Args:
        features: Taken as they are, neither centered nor scaled.
        chunk: Rows reduced at a time.

    Raises:
        ValueError: No row, features that are not finite.
    """
    check_features(features, 1)
    width = min(features.shape)
    triangle = features.new_zeros(0, features.shape[1], dtype=torch.float64)
    for block in features.split(chunk):
        stacked = torch.cat([triangle, block.double()])
        if len(features) > chunk:
            stacked = torch.linalg.qr(stacked, mode='r').R
        triangle = stacked
    return torch.linalg.svdvals(triangle)[:width]


def effective_rank(values: Tensor, eps: float = 1e-7) -> float:
    """Return ``exp(-sum p log p)``, ``p = sigma / sum sigma + eps``, between 1 and C.

    Source: Garrido et al., RankMe, ICML 2023, eq. 1 (there on embeddings of the training set);
    the measure itself is Roy and Vetterli's (2007).

    Args:
        values: (C,) singular values, >= 0.
        eps: Added to each share, as in RankMe, and not divided out again.

    Raises:
        ValueError: All are zero.
    """
    total = values.sum()
    if not bool(total > 0):
        raise ValueError('all singular values are 0: every feature is zero, the network is dead.')
    share = values / total + eps
    return float(torch.special.entr(share).sum().exp())
