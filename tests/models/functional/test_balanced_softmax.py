"""Balanced softmax: the definition, cross-entropy as its special case."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from mochi_mm.models.functional.balanced_softmax import balanced_softmax, log_prior


def balanced_softmax_loop(
    logits: list[float], label: int, counts: list[int], smoothing: float = 0.0
) -> float:
    """Balanced softmax of one row by its definition."""
    total = math.fsum(n * math.exp(x) for n, x in zip(counts, logits, strict=True))
    loss = 0.0
    for c, (n, x) in enumerate(zip(counts, logits, strict=True)):
        share = smoothing / len(counts) + (1 - smoothing) * (c == label)
        loss -= share * math.log(n * math.exp(x) / total)
    return loss


def test_worked_value() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.5, 0.5]], dtype=torch.float64)
    losses = balanced_softmax(logits, torch.tensor([0, 1]), torch.tensor([10, 2]))
    expected = (math.log(1 + 0.2 * math.exp(-2)) + math.log(6)) / 2
    assert float(losses.mean()) == pytest.approx(expected, abs=1e-6)
    assert float(losses.mean()) == pytest.approx(0.909233, abs=1e-6)


@pytest.mark.parametrize('rows, classes, smoothing', [(1, 1, 0.0), (3, 2, 0.1), (5, 7, 0.0)])
def test_values_are_the_definition(rows: int, classes: int, smoothing: float) -> None:
    generator = torch.Generator().manual_seed(rows)
    logits = 3 * torch.randn(rows, classes, generator=generator, dtype=torch.float64)
    labels = torch.randint(classes, (rows,), generator=generator)
    counts = torch.randint(1, 5000, (classes,), generator=generator)
    losses = balanced_softmax(logits, labels, counts, smoothing)
    assert losses.shape == (rows,)
    for row, label, loss in zip(logits.tolist(), labels.tolist(), losses.tolist(), strict=True):
        expected = balanced_softmax_loop(row, label, counts.tolist(), smoothing)
        assert loss == pytest.approx(expected, abs=1e-5)


def test_equal_counts_are_cross_entropy() -> None:
    logits = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 1, 2, 3, 0, 0])
    losses = balanced_softmax(logits, labels, torch.full((4,), 500))
    torch.testing.assert_close(losses, F.cross_entropy(logits, labels, reduction='none'))


def test_the_prior_adds_up_to_one() -> None:
    prior = log_prior(torch.tensor([10, 2]))
    torch.testing.assert_close(prior.exp(), torch.tensor([10 / 12, 2 / 12]))
