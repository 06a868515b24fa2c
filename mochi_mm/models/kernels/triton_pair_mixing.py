"""Pair mixing as two Triton kernels; import only where Triton is there.

The equations are those of :mod:`mochi_mm.models.functional.mixing`. Rows of the memory are read
into registers and used there, so nothing of size (B, S, D) is ever stored.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import once_differentiable

from mochi_mm.models.functional.mixing import MIN_NORM

# Synthetic negatives a program works on at a time.
_BLOCK = 32


@triton.jit
def _forward(
    bank, index, similarity, first, second, weight, cosine, left, right,
    num_hard, num, dim,
    MIN: tl.constexpr, BLOCK: tl.constexpr, DIM: tl.constexpr,
):  # fmt: skip
    query = tl.program_id(0)
    place = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    valid = place < num
    at = query.to(tl.int64) * num + place
    i = query.to(tl.int64) * num_hard + tl.load(first + at, mask=valid, other=0)
    j = query.to(tl.int64) * num_hard + tl.load(second + at, mask=valid, other=0)
    row_i = tl.load(index + i, mask=valid, other=0)
    row_j = tl.load(index + j, mask=valid, other=0)
    column = tl.arange(0, DIM)
    inside = valid[:, None] & (column < dim)[None, :]
    n_i = tl.load(bank + row_i[:, None] * dim + column[None, :], mask=inside, other=0.0)
    n_j = tl.load(bank + row_j[:, None] * dim + column[None, :], mask=inside, other=0.0)
    w = tl.load(weight + at, mask=valid, other=0.0)
    rest = 1 - w
    square = 1 - 2 * w * rest * (1 - tl.sum(n_i * n_j, axis=1))
    norm = tl.sqrt(tl.maximum(square, MIN * MIN))
    of_i, of_j = w / norm, rest / norm
    c_i = tl.load(similarity + i, mask=valid, other=0.0)
    c_j = tl.load(similarity + j, mask=valid, other=0.0)
    mixed = tl.minimum(tl.maximum(of_i * c_i + of_j * c_j, -1.0), 1.0)
    tl.store(cosine + at, mixed, mask=valid)
    tl.store(left + at, of_i, mask=valid)
    tl.store(right + at, of_j, mask=valid)


@triton.jit
def _backward(
    bank, index, first, second, left, right, grad, result,
    num_hard, num, dim,
    BLOCK: tl.constexpr, DIM: tl.constexpr,
):  # fmt: skip
    query = tl.program_id(0)
    column = tl.arange(0, DIM)
    total = tl.zeros((DIM,), dtype=tl.float32)
    for start in range(0, num, BLOCK):
        place = start + tl.arange(0, BLOCK)
        valid = place < num
        at = query.to(tl.int64) * num + place
        i = query.to(tl.int64) * num_hard + tl.load(first + at, mask=valid, other=0)
        j = query.to(tl.int64) * num_hard + tl.load(second + at, mask=valid, other=0)
        row_i = tl.load(index + i, mask=valid, other=0)
        row_j = tl.load(index + j, mask=valid, other=0)
        inside = valid[:, None] & (column < dim)[None, :]
        n_i = tl.load(bank + row_i[:, None] * dim + column[None, :], mask=inside, other=0.0)
        n_j = tl.load(bank + row_j[:, None] * dim + column[None, :], mask=inside, other=0.0)
        g = tl.load(grad + at, mask=valid, other=0.0)
        g_i = g * tl.load(left + at, mask=valid, other=0.0)
        g_j = g * tl.load(right + at, mask=valid, other=0.0)
        total += tl.sum(g_i[:, None] * n_i + g_j[:, None] * n_j, axis=0)
    tl.store(result + query.to(tl.int64) * dim + column, total, mask=column < dim)


class TritonPairMixing(torch.autograd.Function):
    """``pair_mixing_cosines`` with both kernels; the sums have a fixed order, without atomics."""

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        bank: Tensor,
        index: Tensor,
        similarity: Tensor,
        first: Tensor,
        second: Tensor,
        weight: Tensor,
    ) -> Tensor:
        """Return the cosines (B, S)."""
        batch, num = first.shape
        bank, index, similarity, first, second, weight = (
            tensor.contiguous() for tensor in (bank, index, similarity, first, second, weight)
        )
        cosine = query.new_empty(batch, num)
        left, right = torch.empty_like(cosine), torch.empty_like(cosine)
        dim = bank.shape[1]
        _forward[(batch, triton.cdiv(num, _BLOCK))](
            bank, index, similarity, first, second, weight, cosine, left, right,
            index.shape[1], num, dim,
            MIN=MIN_NORM, BLOCK=_BLOCK, DIM=triton.next_power_of_2(dim),
        )  # fmt: skip
        ctx.save_for_backward(bank, index, first, second, left, right)
        return cosine

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradient of ``query``, that of constants h."""
        bank, index, first, second, left, right = ctx.saved_tensors
        batch, num = first.shape
        dim = bank.shape[1]
        result = grad.new_empty(batch, dim)
        _backward[(batch,)](
            bank, index, first, second, left, right, grad.contiguous(), result,
            index.shape[1], num, dim,
            BLOCK=_BLOCK, DIM=triton.next_power_of_2(dim),
        )  # fmt: skip
        return result, None, None, None, None, None, None
