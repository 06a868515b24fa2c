"""Synthetic negatives as cosines: closed forms with a hand-written backward.

A synthetic negative is ``h = m / |m|`` with ``m = a x + (1 - a) y`` for unit x, y. So
``|m|^2 = 1 - 2 a (1 - a) (1 - x.y)`` and ``q.h = (a q.x + (1 - a) q.y) / |m|``: scalars only.
The synthetic negatives are constants, so the gradient of ``sum_s g_s q.h_s`` with respect to q is
``sum_s g_s h_s``, a weighted sum over memory rows. Nothing of size (B, S, D) is ever held.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

# Shortest mixture that is scaled to unit length; a shorter one is divided by this instead and stays
# shorter than one. Two opposite rows mixed half and half have no direction, near there float32
# knows little of it: |m|^2 comes from cosines that are right to about 1e-7, so |m| at this length
# to about 1 in 1000, and below it to ever less. Dividing by a bound has no jump: every way to
# compute |m| gives the same h up to that.
MIN_NORM = 1e-2

# Pairs of rows gathered at a time: on a CPU, both sides stay in a core's cache.
_PAIRS_ON_CPU, _PAIRS_ELSEWHERE = 2**11, 2**15


def mixture_norm(weight: Tensor, cosine: Tensor) -> Tensor:
    """Return ``| w x + (1 - w) y |`` for unit x, y with ``x.y = cosine``, at least ``MIN_NORM``."""
    square = 1 - 2 * weight * (1 - weight) * (1 - cosine)
    return square.clamp_min(MIN_NORM**2).sqrt()


def pair_cosines(bank: Tensor, index: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Return the cosine between two chosen rows, (B, S), a bounded number of pairs at a time.

    Args:
        bank: (K, D) unit rows.
        index: (B, N) rows of ``bank``.
        first: (B, S) positions in the N.
        second: (B, S) positions in the N.
    """
    return row_products(bank, index.gather(1, first), bank, index.gather(1, second))


def row_products(left: Tensor, left_rows: Tensor, right: Tensor, right_rows: Tensor) -> Tensor:
    """Return ``left[left_rows] . right[right_rows]`` for equal shapes of row numbers."""
    cached = left.device.type == 'cpu' and not torch.compiler.is_compiling()
    block = _PAIRS_ON_CPU if cached else _PAIRS_ELSEWHERE
    blocks = zip(left_rows.flatten().split(block), right_rows.flatten().split(block), strict=True)
    products = [left.index_select(0, a).mul_(right.index_select(0, b)).sum(1) for a, b in blocks]
    return torch.cat(products).view(left_rows.shape)


def sum_of_rows(bank: Tensor, index: Tensor, position: Tensor, weight: Tensor) -> Tensor:
    """Return ``sum_s weight[b, s] * bank[index[b, position[b, s]]]``, (B, D).

    Where there are more terms than rows, the weights of a row are added up first, so at most N rows
    per query are read.
    """
    if position.shape[1] <= index.shape[1]:
        chosen = index.gather(1, position)
        return F.embedding_bag(chosen, bank, mode='sum', per_sample_weights=weight)
    per_row = weight.new_zeros(index.shape).scatter_add_(1, position, weight)
    return F.embedding_bag(index, bank, mode='sum', per_sample_weights=per_row)


class _MixedCosine(torch.autograd.Function):
    """Cosines that were computed from scalars, with the gradient of ``query . constants``."""

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        cosine: Tensor,
        bank: Tensor,
        index: Tensor,
        positions: tuple[Tensor, ...],
        row_weights: tuple[Tensor, ...],
        direction: Tensor | None,
        direction_weight: Tensor | None,
    ) -> Tensor:
        """Return ``cosine``; h is a sum of memory rows and of ``direction``, of each query (B, D)
        or of each synthetic negative (S, 1, D)."""
        ctx.save_for_backward(bank, index, direction, direction_weight, *positions, *row_weights)
        ctx.terms = len(positions)
        return cosine

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = grads
        bank, index, direction, direction_weight, *rest = ctx.saved_tensors
        positions, row_weights = rest[: ctx.terms], rest[ctx.terms :]
        position = torch.cat(positions, dim=1)
        weight = torch.cat([grad * w for w in row_weights], dim=1)
        result = sum_of_rows(bank, index, position, weight)
        if direction is not None and direction.ndim == 2:
            result = result + (grad * direction_weight).sum(1, keepdim=True) * direction
        elif direction is not None:
            result = result + (grad * direction_weight) @ direction.squeeze(1)
        return result, None, None, None, None, None, None, None


def constant_cosines(
    query: Tensor,
    cosine: Tensor,
    bank: Tensor,
    index: Tensor,
    positions: tuple[Tensor, ...],
    row_weights: tuple[Tensor, ...],
    direction: Tensor | None = None,
    direction_weight: Tensor | None = None,
) -> Tensor:
    """Return ``cosine`` (B, S), within -1 and 1, with the gradient of ``query . h``, h constant.

    ``h[b, s] = sum_t row_weights[t][b, s] * bank[index[b, positions[t][b, s]]]``, plus
    ``direction_weight[b, s]`` times the direction of the query b, (B, D), or of s, (S, 1, D).
    """
    cosine = cosine.clamp(-1, 1)  # near MIN_NORM, rounding reaches the fourth digit
    return _MixedCosine.apply(
        query, cosine, bank, index, positions, row_weights, direction, direction_weight
    )


def pair_mixing_cosines(
    query: Tensor,
    bank: Tensor,
    index: Tensor,
    similarity: Tensor,
    first: Tensor,
    second: Tensor,
    weight: Tensor,
) -> Tensor:
    """Return ``q.h`` for ``h = unit(w n_i + (1 - w) n_j)`` (Kalantidis et al. 2020).

    Args:
        query: (B, D) unit rows.
        bank: (K, D) unit rows.
        index: (B, N) rows of the bank that are hard for each query.
        similarity: (B, N) cosines of the query with them.
        first: (B, S) int64, i.
        second: (B, S) int64, j.
        weight: (B, S), w, of ``first``.

    Returns:
        (B, S) cosines; their gradient reaches ``query`` only, as if h were a constant.
    """
    norm = mixture_norm(weight, pair_cosines(bank, index, first, second))
    left, right = weight / norm, (1 - weight) / norm
    cosine = left * similarity.gather(1, first) + right * similarity.gather(1, second)
    return constant_cosines(query, cosine, bank, index, (first, second), (left, right))


def query_mixing_cosines(
    query: Tensor, bank: Tensor, index: Tensor, similarity: Tensor, first: Tensor, weight: Tensor
) -> Tensor:
    """Return ``q.h`` for ``h = unit(w q + (1 - w) n_j)`` (Kalantidis et al. 2020).

    Args:
        query: (B, D) unit rows.
        bank: (K, D) unit rows.
        index: (B, N) rows of the bank that are hard for each query.
        similarity: (B, N) cosines of the query with them.
        first: (B, S) int64, j.
        weight: (B, S), w, of the query.

    Returns:
        (B, S) cosines; their gradient reaches ``query`` as if h, with the q in it, were a constant.
    """
    chosen = similarity.gather(1, first)
    norm = mixture_norm(weight, chosen)
    of_query, of_row = weight / norm, (1 - weight) / norm
    cosine = of_query + of_row * chosen
    direction = query.detach()
    return constant_cosines(query, cosine, bank, index, (first,), (of_row,), direction, of_query)
