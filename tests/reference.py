"""Slow, obvious float64 versions of the equations, for comparison."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def unit(vector: Tensor) -> Tensor:
    """The vector scaled to length one."""
    return vector / math.sqrt(sum(float(x) ** 2 for x in vector))


def dot(a: Tensor, b: Tensor) -> float:
    """The inner product, one coordinate at a time."""
    return sum(float(x) * float(y) for x, y in zip(a, b, strict=True))


def random_units(rows: int, dim: int, seed: int) -> Tensor:
    """Random float64 unit rows."""
    drawn = torch.randn(
        rows, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    return drawn / drawn.norm(dim=1, keepdim=True)


def info_nce_loop(positive: float, negatives: list[float], temperature: float) -> float:
    """InfoNCE of one query by its definition."""
    own = math.exp(positive / temperature)
    others = sum(math.exp(n / temperature) for n in negatives)
    return -math.log(own / (own + others))
