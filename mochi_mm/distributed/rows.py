"""Rows and means across the processes of a group; without a group, the identity."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from mochi_mm.distributed.cpu_group import cpu_group


def world_size() -> int:
    """Return the number of processes, 1 without a process group."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Return this process's number, 0 without a process group."""
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


def row_counts(rows: int) -> list[int]:
    """Return the number of rows of each rank, in rank order.

    The numbers travel between CPUs, so an accelerator is not made to wait.
    """
    if world_size() == 1:
        return [rows]
    counts = [torch.zeros(1, dtype=torch.int64, device='cpu') for _ in range(world_size())]
    own = torch.tensor([rows], dtype=torch.int64, device='cpu')
    dist.all_gather(counts, own, group=cpu_group())
    return [int(count) for count in counts]


@torch.no_grad()
def gather_rows(tensor: Tensor, counts: list[int] | None = None) -> Tensor:
    """Return the rows of all ranks, in rank order; no gradient.

    Args:
        tensor: (B_r, ...) rows of this rank; ranks may hold different numbers of rows.
        counts: Rows of each rank, when already known from :func:`row_counts`.

    Returns:
        (sum of B_r, ...), the same on every rank.
    """
    if world_size() == 1:
        return tensor.detach()
    counts = counts or row_counts(len(tensor))
    longest = max(counts)
    padded = tensor.new_zeros((longest, *tensor.shape[1:]))
    padded[: len(tensor)] = tensor
    received = [torch.empty_like(padded) for _ in counts]
    dist.all_gather(received, padded)
    return torch.cat([block[:count] for block, count in zip(received, counts, strict=True)])


class _GatherRows(torch.autograd.Function):
    """:func:`gather_rows` whose backward sums the gradients of all ranks for the own rows."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, counts: list[int]) -> Tensor:
        ctx.counts = counts
        return gather_rows(tensor, counts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        total = gradients[0].contiguous().clone()
        dist.all_reduce(total)
        start = sum(ctx.counts[: rank()])
        return total[start : start + ctx.counts[rank()]], None


def gather_rows_with_gradient(tensor: Tensor, counts: list[int]) -> Tensor:
    """Return the rows of all ranks, in rank order, with gradient.

    A row's gradient is the sum of what all ranks' losses ask of it, so that data-parallel training,
    which averages over ranks, does what one process would do on the joined batch. All ranks must
    run backward.

    Args:
        tensor: (B_r, ...) rows of this rank.
        counts: Rows of each rank, from :func:`row_counts`.
    """
    return tensor if world_size() == 1 else _GatherRows.apply(tensor, counts)


def mean_over_ranks(values: Tensor, counted: Tensor | None = None) -> Tensor:
    """Return a scalar whose average over ranks is the mean of all ranks' ``values``.

    Data-parallel training averages the gradients of the ranks. With equal batches this is the
    plain mean; with unequal ones each rank's sum is weighted so that the average comes out right.

    Args:
        values: (B_r,) values of this rank, with gradient.
        counted: (B_r,) bool, the values that the mean is taken over; None takes all. Where no
            value counts on any rank, the mean is 0.
    """
    if counted is None:
        if world_size() == 1:
            return values.mean()
        total = torch.tensor(float(len(values)), device=values.device)
    else:
        values = values.masked_fill(~counted, 0.0)
        total = counted.sum().to(torch.float32)
    if world_size() > 1:
        dist.all_reduce(total)
    return values.sum() * (world_size() / total.clamp_min(1.0))
