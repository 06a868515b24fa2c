"""Hard negatives moved a little, as cosines (SynCo, Giakoumoglou and Stathaki 2024).

A synthetic negative is ``h = m / |m|`` with ``m = n + v`` for a unit memory row n, so ``q.h`` and
``|m|`` follow from ``q.n``, ``q.v``, ``n.v`` and ``|v|``. As in
:mod:`mochi_mm.models.functional.mixing`, h is a constant and nothing of size (B, S, D) is held.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mochi_mm.models.functional.mixing import MIN_NORM, constant_cosines, row_products


def moved_norm(along: Tensor, square: Tensor | float) -> Tensor:
    """Return ``|n + v|`` for unit n, ``n.v = along``, ``|v|^2 = square``; at least ``MIN_NORM``."""
    return (1 + 2 * along + square).clamp_min(MIN_NORM**2).sqrt()


def noise_cosines(
    query: Tensor, bank: Tensor, index: Tensor, similarity: Tensor, first: Tensor, noise: Tensor
) -> Tensor:
    """Return ``q.h`` for ``h = unit(n_j + e_s)``.

    Args:
        query: (B, D) unit rows.
        bank: (K, D) unit rows.
        index: (B, N) rows of the bank that are hard for each query.
        similarity: (B, N) cosines of the query with them.
        first: (B, S) int64, j.
        noise: (S, D), e, the same for all queries.

    Returns:
        (B, S) cosines; their gradient reaches ``query`` only, as if h were a constant.
    """
    rows = index.gather(1, first)
    column = torch.arange(len(noise), device=rows.device).expand_as(rows)
    norm = moved_norm(row_products(bank, rows, noise, column), noise.square().sum(1))
    scale = 1 / norm
    cosine = (similarity.gather(1, first) + query.detach() @ noise.T) * scale
    return constant_cosines(query, cosine, bank, index, (first,), (scale,), noise[:, None], scale)


def sign_step_cosines(
    query: Tensor, bank: Tensor, index: Tensor, similarity: Tensor, first: Tensor, step: float
) -> Tensor:
    """Return ``q.h`` for ``h = unit(n_j + step * sign(q))``.

    Args:
        query: (B, D) unit rows.
        bank: (K, D) unit rows.
        index: (B, N) rows of the bank that are hard for each query.
        similarity: (B, N) cosines of the query with them.
        first: (B, S) int64, j.
        step: Length of the step in each coordinate.

    Returns:
        (B, S) cosines; their gradient reaches ``query`` only, as if h were a constant.
    """
    signs = query.detach().sign()
    rows = index.gather(1, first)
    owner = torch.arange(len(rows), device=rows.device)[:, None].expand_as(rows)
    square = step**2 * signs.square().sum(1, keepdim=True)
    scale = 1 / moved_norm(step * row_products(bank, rows, signs, owner), square)
    reach = step * query.detach().abs().sum(1, keepdim=True)
    cosine = (similarity.gather(1, first) + reach) * scale
    return constant_cosines(query, cosine, bank, index, (first,), (scale,), signs, step * scale)
