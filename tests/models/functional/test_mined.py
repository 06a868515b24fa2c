"""Mined candidates against a sorted list."""

from __future__ import annotations

import math

import pytest
import torch

from mochi_mm.models.functional.mined import mined


@pytest.mark.parametrize('num', [0, 1, 3, 7])
@pytest.mark.parametrize('length', [7, 20])
def test_equals_a_sorted_list(num: int, length: int) -> None:
    generator = torch.Generator().manual_seed(num)
    similarity = torch.randn(5, length, generator=generator, dtype=torch.float64)
    allowed = torch.rand(5, length, generator=generator) < torch.linspace(0, 1, 5)[:, None]
    for sign in (1, -1):
        chosen = mined(sign * similarity, allowed, num)
        for row in range(5):
            others = [j for j in range(length) if allowed[row, j]]
            others.sort(key=lambda j: -sign * float(similarity[row, j]))
            assert set(chosen[row].nonzero().flatten().tolist()) == set(others[:num])


def test_a_long_memory() -> None:
    """Which is not sorted whole on a CPU."""
    similarity = torch.randn(3, 4096, generator=torch.Generator().manual_seed(0))
    allowed = torch.ones_like(similarity).bool()
    chosen = mined(similarity, allowed, 16)
    least = similarity.sort(1, descending=True).values[:, 15:16]
    assert torch.equal(chosen, similarity >= least) and chosen.sum(1).tolist() == [16] * 3


def test_what_is_no_number_is_chosen() -> None:
    chosen = mined(torch.tensor([[0.1, math.nan, 0.3]]), torch.ones(1, 3).bool(), 1)
    assert chosen.tolist() == [[False, True, False]]
