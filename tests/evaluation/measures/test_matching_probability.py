"""Sorted matching probabilities against a loop in float64."""

from __future__ import annotations

import math

import pytest
import torch

from mochi_mm.evaluation.measures import hardest_probabilities


def loop(own: list[float], others: list[float], num: int, tau: float) -> list[float]:
    total = sum(math.exp(c / tau) for c in [*own, *others])
    return sorted((math.exp(c / tau) / total for c in others), reverse=True)[:num]


@pytest.mark.parametrize('num', [1, 4, 6, 7])
@pytest.mark.parametrize('synthetic', [0, 1, 5])
def test_against_the_loop(num: int, synthetic: int) -> None:
    generator = torch.Generator().manual_seed(num)
    drawn = 2 * torch.rand(3, 2 + 7 + synthetic, generator=generator) - 1
    own, rows, mixed = drawn[:, :2], drawn[:, 2:9].clone(), drawn[:, 9:]
    rows[1, 3] = -torch.inf
    found = hardest_probabilities(own, rows, num, 0.1, mixed if synthetic else None)
    assert found.shape == (3, num) and found.dtype == torch.float64
    for b in range(3):
        others = [*rows[b].tolist(), *mixed[b].tolist()]
        wanted = loop(own[b].tolist(), others, num, 0.1)
        assert found[b].tolist() == pytest.approx(wanted, rel=1e-9, abs=1e-15)


def test_a_masked_row_has_no_probability() -> None:
    found = hardest_probabilities(torch.zeros(1, 1), torch.tensor([[0.0, -torch.inf]]), 2, 0.2)
    assert found.tolist() == [[0.5, 0.0]]


@pytest.mark.parametrize('num', [0, 8])
def test_more_than_there_are(num: int) -> None:
    with pytest.raises(ValueError, match=f'num is {num} but there are 7 negatives'):
        hardest_probabilities(torch.zeros(2, 1), torch.zeros(2, 7), num, 0.2)
