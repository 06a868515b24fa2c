"""Fused kernels against the plain equations: numbers, time and memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mochi_mm.experiments.benchmark import (
    machine,
    peak_extra_bytes,
    seconds,
    summary,
    write_json,
)
from mochi_mm.models.functional import mixing
from mochi_mm.models.kernels.pair_mixing import pair_mixing_cosines, triton_works

#: Queries, keys, hard negatives, synthetic negatives, width.
Shape = tuple[int, int, int, int, int]


def kernels(device: str, shapes: Sequence[Shape], repeats: int, out: Path) -> None:
    """Write, for each shape, the differences of the fused pair mixing, and both ways' costs.

    Raises:
        RuntimeError: Cosines or gradients differ by more than 1e-5; what was measured is written.
    """
    fused = device.startswith('cuda') and triton_works(torch.device(device))
    found: dict[str, Any] = dict(machine=machine(device), fused=fused, measured={})
    worst = 0.0
    for shape in shapes:
        arguments = _arguments(shape, device)
        runs: dict[str, Callable[[], tuple[Tensor, Tensor]]] = {
            'plain': partial(_both_ways, mixing.pair_mixing_cosines, arguments),
            'fused': partial(_both_ways, pair_mixing_cosines, arguments),
        }
        (value, grad), (expected, expected_grad) = runs['fused'](), runs['plain']()
        differences = dict(
            cosines=float((value - expected).abs().max()),
            gradient=float((grad - expected_grad).abs().max() / expected_grad.abs().max()),
        )
        worst = max(worst, *differences.values())
        times = seconds(runs, repeats, device)
        found['measured'][str(shape)] = dict(
            differences=differences,
            **{
                name: dict(summary(times[name]), peak_bytes=peak_extra_bytes(run, device))
                for name, run in runs.items()
            },
        )
        write_json(out, found)
    if not worst <= 1e-5:
        raise RuntimeError(f'the two ways differ by {worst:.1e}; expected 1e-5 at most.')


def _arguments(shape: Shape, device: str) -> tuple[Tensor, ...]:
    """Return random arguments of :func:`pair_mixing_cosines`, the same for every device."""
    batch, length, hard, pairs, dim = shape
    draw = torch.Generator().manual_seed(0)
    query = F.normalize(torch.randn(batch, dim, generator=draw), dim=1)
    bank = F.normalize(torch.randn(length, dim, generator=draw), dim=1)
    similarity, index = (query @ bank.T).topk(hard, dim=1)  # (B, N)
    first, second = torch.randint(hard, (2, batch, pairs), generator=draw)
    weight = torch.rand(batch, pairs, generator=draw)
    found = (query, bank, index, similarity, first, second, weight)
    return tuple(tensor.to(device) for tensor in found)


def _both_ways(
    function: Callable[..., Tensor], arguments: tuple[Tensor, ...]
) -> tuple[Tensor, Tensor]:
    """Return the cosines (B, S) and the gradient of a weighted sum of them for the query."""
    query = arguments[0].clone().requires_grad_()
    cosines = function(query, *arguments[1:])
    wave = torch.arange(cosines.numel(), device=cosines.device).view_as(cosines).cos()
    (cosines * wave).sum().backward()
    if query.grad is None:
        raise RuntimeError('the cosines gave the query no gradient.')
    return cosines.detach(), query.grad
