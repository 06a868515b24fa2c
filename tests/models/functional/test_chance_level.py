"""The loss at equal similarities, counted, against the equation itself."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from mochi_mm.models.functional.chance_level import chance_level, chance_of_each, mean_chance
from mochi_mm.models.functional.contrast_blocks import contrast_blocks
from mochi_mm.structures import Block

DROPPED = torch.tensor([[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]]).bool()
PULL = torch.tensor([[0, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 0]]).float()
BIAS = torch.tensor([[0.5, -0.25, 0.0, 1.0], [-math.inf, 0, 0, -1], [0, 0, -math.inf, 0]])


def block(columns: int, **kwargs: Any) -> Block:
    return Block('some', torch.full((3, columns), 0.7), **kwargs)


CASES: dict[str, list[Block]] = {
    'own key and memory': [block(1, pull=1.0), block(11)],
    'own keys and memory': [block(3, pull=1.0), block(11)],
    'memory with dropped rows': [block(1, pull=1.0), block(4, dropped=DROPPED)],
    'batch': [block(4, pull=PULL, dropped=DROPPED)],
    'a bias': [block(4, pull=PULL, push_bias=BIAS)],
    'a bias, dropped, synthetic negatives': [
        block(4, pull=PULL, push_bias=BIAS, dropped=DROPPED), block(5),
    ],
    'a bias for all': [block(4, pull=PULL, push_bias=torch.tensor([-0.3])), block(2)],
}  # fmt: skip


@pytest.mark.parametrize('form', ['outside', 'inside'])
@pytest.mark.parametrize('name', CASES)
def test_shared_denominators(name: str, form: str) -> None:
    losses = contrast_blocks(CASES[name], 0.2, form=form)
    assert chance_level(CASES[name]).shape == (3,)
    torch.testing.assert_close(chance_level(CASES[name]), losses)


@pytest.mark.parametrize('margin', [0.0, 0.25])
@pytest.mark.parametrize('name', CASES)
def test_a_denominator_for_each_positive(name: str, margin: float) -> None:
    losses = contrast_blocks(CASES[name], 0.2, denominator='per_positive', positive_bias=-margin)
    torch.testing.assert_close(chance_of_each(CASES[name], -margin), losses)


def test_counts() -> None:
    assert chance_level(CASES['own key and memory']).tolist() == pytest.approx([math.log(12)] * 3)
    expected = [math.log(4), math.log(3), math.log(5)]
    assert chance_level(CASES['memory with dropped rows']).tolist() == pytest.approx(expected)
    each = chance_of_each(CASES['own keys and memory'], -0.5)
    assert each.tolist() == pytest.approx([math.log(11 + math.exp(-0.5))] * 3)


def test_nothing_in_a_denominator_is_no_loss() -> None:
    nothing = block(4, pull=PULL, push_bias=torch.full((3, 4), -math.inf))
    assert chance_level([nothing]).tolist() == [0, 0, 0]
    assert contrast_blocks([nothing], 0.2).tolist() == [0, 0, 0]


def test_the_mean_is_over_what_the_loss_counts() -> None:
    levels, counted = torch.tensor([1.0, 2.0, 6.0]), torch.tensor([True, True, False])
    assert float(mean_chance(levels, None, True)) == 3
    assert float(mean_chance(levels, counted, False)) == 1.5
    assert float(mean_chance(levels, counted, True)) == 1
    assert float(mean_chance(levels, torch.zeros(3).bool(), False)) == 0
