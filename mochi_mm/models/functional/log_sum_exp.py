"""The logarithm of a sum of exponentials over a long row, without temporaries of its size."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# Numbers worked on at a time: they stay in a core's cache.
_BLOCK_NUMBERS = 2**20


def log_sum_exp(values: Tensor, temperature: float) -> Tensor:
    """Return ``log sum_j exp(values[b, j] / temperature)``, (B,).

    On a CPU, forward needs no memory of the size of ``values`` and backward only the gradient
    itself; elsewhere torch's own operations do it.

    Args:
        values: (B, M); -inf counts for nothing, a row of nothing else gives -inf.
        temperature: > 0.
    """
    if values.device.type == 'cpu' and not torch.compiler.is_compiling():
        return _BlockedLogSumExp.apply(values, temperature)
    return torch.logsumexp(values / temperature, dim=1)


def _row_blocks(values: Tensor) -> list[slice]:
    rows = max(1, _BLOCK_NUMBERS // max(1, values.shape[1]))
    return [slice(start, start + rows) for start in range(0, len(values), rows)]


class _BlockedLogSumExp(torch.autograd.Function):
    """Log-sum-exp of a few rows at a time, in one reused buffer."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, temperature: float) -> Tensor:
        result = values.new_empty(len(values))
        buffer = None
        for rows in _row_blocks(values):
            block = values[rows]
            largest = block.amax(1, keepdim=True)
            largest.masked_fill_(largest == float('-inf'), 0.0)
            if buffer is None:
                buffer = torch.empty_like(block)
            scaled = torch.sub(block, largest, out=buffer[: len(block)])
            total = scaled.div_(temperature).exp_().sum(1)
            result[rows] = total.log_().add_(largest.squeeze(1), alpha=1 / temperature)
        ctx.save_for_backward(values, result)
        ctx.temperature = temperature
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        values, result = ctx.saved_tensors
        shift = result.masked_fill(result == float('-inf'), 0.0)[:, None]
        grad = (grad / ctx.temperature)[:, None]
        gradient = torch.empty_like(values)
        for rows in _row_blocks(values):
            block = torch.div(values[rows], ctx.temperature, out=gradient[rows])
            block.sub_(shift[rows]).exp_().mul_(grad[rows])
        return gradient, None
