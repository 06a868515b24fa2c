"""The weights of DCLW: worked values, their definition, their mean."""

from __future__ import annotations

import math

import pytest
import torch

from mochi_mm.models.functional.decoupled_weight import decoupled_weight


def test_worked_values() -> None:
    weights = decoupled_weight(torch.tensor([0.8, 0.96, 0.6]), 0.5)
    assert weights.tolist() == pytest.approx([1.015570, 0.644314, 1.340117], abs=1e-6)


@pytest.mark.parametrize('sigma', [0.1, 0.5, 3.0])
@pytest.mark.parametrize('size', [1, 2, 7])
def test_equals_the_definition(size: int, sigma: float) -> None:
    positive = torch.linspace(-0.9, 0.95, size, dtype=torch.float64)
    parts = [math.exp(p / sigma) for p in positive.tolist()]
    expected = [2 - part / (sum(parts) / size) for part in parts]
    weights = decoupled_weight(positive, sigma)
    assert weights.tolist() == pytest.approx(expected, abs=1e-12)
    assert float(weights.mean()) == pytest.approx(1, abs=1e-12)


def test_small_widths_do_not_overflow() -> None:
    assert decoupled_weight(torch.tensor([1.0, -1.0]), 1e-3).tolist() == pytest.approx([0, 2])
