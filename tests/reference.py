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


def contrast_loop(
    logits: list[float],
    weights: list[float],
    bias: list[float],
    denominator: str = 'shared',
    form: str = 'outside',
    positive_bias: float = 0.0,
    positive_scale: float = 1.0,
) -> float:
    """The contrastive loss of one anchor by its definition; -inf drops a candidate."""
    kept = [j for j in range(len(logits)) if logits[j] > -math.inf]
    total = sum(weights[j] for j in kept)
    if total == 0:
        return 0.0
    share = {j: weights[j] / total for j in kept if weights[j] > 0}
    shared = math.fsum(math.exp(logits[j] + bias[j]) for j in kept)
    if form == 'inside':
        return math.log(shared) - math.log(
            math.fsum(w * math.exp(logits[p]) for p, w in share.items())
        )
    loss = 0.0
    for p, w in share.items():
        push = shared
        if denominator == 'per_positive':
            push = math.exp(logits[p] + positive_bias) + math.fsum(
                math.exp(logits[j] + bias[j]) for j in kept if j not in share
            )
        loss += w * (math.log(push) - positive_scale * logits[p])
    return loss
