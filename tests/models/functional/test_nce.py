"""Noise-contrastive estimation, from exponentials; without overflow."""

from __future__ import annotations

import math

import pytest
import torch

from mochi_mm.models.functional.nce import binary_nce, log_normalizer

N = 9


@pytest.mark.parametrize('eps', [0.0, 1e-7, 0.01])
@pytest.mark.parametrize(('batch', 'noise'), [(1, 1), (3, 6), (5, 20)])
def test_equals_the_definition(batch: int, noise: int, eps: float) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(batch, 1 + noise, generator=generator, dtype=torch.float64)
    scores = [[math.exp(x) for x in row] for row in logits.tolist()]
    flat = [score for row in scores for score in row]
    z = N * sum(flat) / len(flat)
    log_z = log_normalizer(logits.requires_grad_(), N)
    assert float(log_z) == pytest.approx(math.log(z), abs=1e-12) and not log_z.requires_grad
    losses = binary_nce(logits, log_z, N, eps)
    c = noise / N
    for b, row in enumerate(scores):
        p = [score / z for score in row]
        expected = -math.log(p[0] / (p[0] + c + eps))
        expected -= sum(math.log(c / (x + c + eps)) for x in p[1:])
        assert float(losses[b]) == pytest.approx(expected, abs=1e-12)


def test_does_not_overflow() -> None:
    logits = torch.tensor([[900.0, -900.0, 100.0]])
    assert torch.isfinite(binary_nce(logits, log_normalizer(logits, 10), 10)).all()
