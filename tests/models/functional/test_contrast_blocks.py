"""The equation over blocks, against a loop; the short way gives what the long one gives."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from mochi_mm.models.functional import contrast_blocks as module
from mochi_mm.models.functional.contrast_blocks import (
    attracted,
    contrast_blocks,
    logits_of,
    weights_of,
)
from mochi_mm.structures import Block
from tests.reference import contrast_loop

T = 0.3


def drawn(size: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(5, size, generator=generator, dtype=torch.float64) * 2 - 1


def mask(size: int, seed: int) -> Tensor:
    return (drawn(size, seed) > 0.4).index_fill(1, torch.tensor([size - 1]), False)


CASES: dict[str, list[Block]] = {
    'own key, memory': [Block('own', drawn(1, 0), pull=1.0), Block('memory', drawn(7, 1))],
    'own key, memory with dropped rows, synthetic': [
        Block('own', drawn(1, 0), pull=1.0),
        Block('memory', drawn(7, 1), dropped=mask(7, 2)),
        Block('synthetic', drawn(3, 3)),
    ],
    'three own keys': [Block('own', drawn(3, 0), pull=1.0), Block('memory', drawn(7, 1))],
    'a share for each row': [
        Block('own', drawn(1, 0), pull=drawn(1, 4).abs()),
        Block('memory', drawn(7, 1), pull=drawn(7, 5).abs(), dropped=mask(7, 2)),
    ],
    'a bias': [
        Block('batch', drawn(7, 1), pull=mask(7, 3).double(), push_bias=drawn(7, 6)),
        Block('memory', drawn(2, 7), push_bias=torch.tensor([[-math.inf, 0.5]]).double()),
    ],
    'a temperature of its own': [
        Block('own', drawn(1, 0), pull=1.0),
        Block('memory', drawn(7, 1), temperature=0.7),
    ],
    'positives that are dropped': [
        Block('batch', drawn(7, 1), pull=mask(7, 3).double(), dropped=mask(7, 3) & mask(7, 8)),
    ],
}  # fmt: skip


def loop(blocks: list[Block], a: int, **options: Any) -> float:
    logits, weights, bias = [], [], []
    for one in blocks:
        for m in range(one.similarity.shape[1]):
            gone = one.dropped is not None and bool(one.dropped[a, m])
            logit = float(one.similarity[a, m]) / (one.temperature or T)
            logits.append(-math.inf if gone else logit)
            pull = one.pull if isinstance(one.pull, float) or one.pull is None else one.pull[a, m]
            weights.append(float(pull or 0))
            given = one.push_bias
            bias.append(0.0 if given is None else float(given.expand_as(one.similarity)[a, m]))
    return contrast_loop(logits, weights, bias, **options)


@pytest.mark.parametrize(
    'options', [dict(), dict(form='inside'), dict(denominator='per_positive', positive_bias=-0.2)]
)
@pytest.mark.parametrize('name', CASES)
def test_equals_the_loop(name: str, options: dict[str, Any]) -> None:
    losses = contrast_blocks(CASES[name], T, **options)
    for a in range(5):
        expected = loop(CASES[name], a, **options)
        assert float(losses[a]) == pytest.approx(expected, abs=1e-12)


def test_one_own_key_goes_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """And gives the same; anything else does not."""
    expected = [contrast_blocks(CASES[name], T) for name in CASES]
    called = []
    real = module.info_nce
    monkeypatch.setattr(module, 'info_nce', lambda *a: called.append(1) or real(*a))
    short = {}
    for name in CASES:
        called.clear()
        contrast_blocks(CASES[name], T)
        short[name] = bool(called)
    assert [name for name in CASES if short[name]] == list(CASES)[:2]
    monkeypatch.setattr(module, '_is_single_key', lambda block: False)
    for name, value in zip(CASES, expected, strict=True):
        torch.testing.assert_close(contrast_blocks(CASES[name], T), value, rtol=1e-12, atol=1e-12)


def test_gradients_reach_what_is_not_dropped() -> None:
    own, memory = drawn(1, 0).requires_grad_(), drawn(7, 1).requires_grad_()
    blocks = [Block('own', own, pull=1.0), Block('memory', memory, dropped=mask(7, 2))]
    contrast_blocks(blocks, T).sum().backward()
    assert own.grad is not None and memory.grad is not None
    assert torch.equal(memory.grad == 0, mask(7, 2)) and (own.grad < 0).all()


def test_attracted_counts_positives_that_are_not_dropped() -> None:
    pull = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    dropped = torch.tensor([[False, True], [False, False], [False, True]])
    block = Block('batch', torch.zeros(3, 2), pull=pull, dropped=dropped)
    assert attracted([block]).tolist() == [True, False, False]
    own = Block('own', torch.zeros(3, 1), pull=1.0)
    assert attracted([own, block]).tolist() == [True] * 3


def test_logits_and_weights_of_a_block() -> None:
    block = Block('b', torch.tensor([[0.2, 0.4]]), dropped=torch.tensor([[True, False]]))
    assert logits_of(block, 0.5).tolist() == [[-math.inf, pytest.approx(0.8)]]
    assert logits_of(block.but(temperature=0.1), 0.5)[0, 1] == pytest.approx(4)
    assert weights_of(block) is None
    assert weights_of(block.but(pull=0.5)).tolist() == [[0.5, 0.5]]
