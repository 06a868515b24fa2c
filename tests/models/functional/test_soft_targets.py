"""Soft targets against loops and worked values."""

from __future__ import annotations

import math

import pytest
import torch

from mochi_mm.models.functional.contrast import contrast
from mochi_mm.models.functional.soft_targets import check_own_weight, soft_targets
from tests.reference import dot, random_units

Q = torch.tensor([[0.8, 0.6], [0.28, 0.96]], dtype=torch.float64)
K = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
BANK = torch.tensor([[0.96, 0.28], [-0.6, 0.8], [0.6, -0.8], [-1.0, 0.0]], dtype=torch.float64)


def sce(temperature: float, key_temperature: float, own_weight: float, slot: str) -> float:
    target = soft_targets(K @ BANK.T, key_temperature, own_weight, slot)
    logits = [(Q * K).sum(1, keepdim=True) / temperature, Q @ BANK.T / temperature]
    return float(contrast(logits, [1 - target.sum(1, keepdim=True), target]).mean())


@pytest.mark.parametrize(
    ('settings', 'value'),
    [
        ((0.1, 0.07, 0.5, 'masked'), 1.388558),
        ((0.1, 0.07, 0.5, 'zero'), 1.388549),
        ((0.2, 1.0, 0.5, 'masked'), 2.001184),
        ((0.2, 1.0, 0.5, 'zero'), 1.785176),
        ((0.1, 0.07, 1.0, 'masked'), 0.814853),
        ((0.1, 0.07, 1.0, 'zero'), 0.814853),
        ((0.1, 0.07, 0.0, 'masked'), 1.962263),
    ],
)
def test_worked_values(settings: tuple[float, float, float, str], value: float) -> None:
    assert sce(*settings) == pytest.approx(value, abs=6e-7)


@pytest.mark.parametrize('slot', ['masked', 'zero'])
@pytest.mark.parametrize('rows', [1, 2, 7])
def test_equals_a_loop(rows: int, slot: str) -> None:
    keys, bank = random_units(3, 5, 1), random_units(rows, 5, 2)
    result = soft_targets(keys @ bank.T, 0.3, 0.4, slot)
    for b in range(3):
        parts = [math.exp(dot(keys[b], row) / 0.3) for row in bank]
        total = sum(parts) + (1 if slot == 'zero' else 0)
        expected = [0.6 * part / total for part in parts]
        assert result[b].tolist() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize('slot', ['masked', 'zero'])
def test_dropped_rows_have_no_share(slot: str) -> None:
    similarity = torch.tensor([[0.5, -torch.inf, 0.1], [-torch.inf] * 3])
    result = soft_targets(similarity.requires_grad_(), 0.1, 0.5, slot)
    assert result[0, 1] == 0 and result[1].tolist() == [0, 0, 0] and not result.requires_grad
    assert float(result[0].sum()) == pytest.approx(0.5 if slot == 'masked' else 0.49674, abs=1e-4)


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match=r'own_weight is 1.5; expected .* in \[0, 1\]'):
        check_own_weight(1.5, 'masked')
    with pytest.raises(ValueError, match="own_slot is 'own'; expected one of masked, zero"):
        check_own_weight(0.5, 'own')
