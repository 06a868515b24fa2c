"""The learned divergence: worked values, loops, who gets gradient."""

from __future__ import annotations

import math

import pytest
import torch

from mochi_mm.models.functional.bregman import (
    bregman_divergence,
    count_winners,
    gaussian_similarity,
)

# Of two views of two images, the first views first: outputs of three sub-networks.
OUTPUTS = torch.tensor([[2.0, 1, 0], [0, 1.5, 1], [1, 1.2, 0], [0, 1, 2]], dtype=torch.float64)
DIVERGENCE = [[0, 1, 1, 2], [1.5, 0, 0, 0.5], [0.2, 0, 0, 1.2], [2, 1, 1, 0]]


def test_worked_values() -> None:
    found = bregman_divergence(OUTPUTS, OUTPUTS)
    for row, expected in zip(found.tolist(), DIVERGENCE, strict=True):
        assert row == pytest.approx(expected, abs=1e-12)
    assert int(count_winners(OUTPUTS)) == 3


@pytest.mark.parametrize('size', [(1, 1, 2), (5, 3, 4), (4, 7, 1)])
def test_equals_the_loop(size: tuple[int, int, int]) -> None:
    a, m, k = size
    generator = torch.Generator().manual_seed(a)
    rows, candidates = (torch.randn(n, k, generator=generator).double() for n in (a, m))
    found = gaussian_similarity(bregman_divergence(rows, candidates), 0.7)
    for i in range(a):
        for j in range(m):
            winner = max(range(k), key=lambda n: float(candidates[j, n]))
            divergence = max(rows[i].tolist()) - float(rows[i, winner])
            assert divergence >= 0
            expected = math.exp(-divergence / (2 * 0.7**2))
            assert float(found[i, j]) == pytest.approx(expected, abs=1e-12)
    winners = {max(range(k), key=lambda n: float(row[n])) for row in candidates}
    assert int(count_winners(candidates)) == len(winners)


def test_gradient_reaches_the_first_side_alone() -> None:
    rows, candidates = OUTPUTS.clone().requires_grad_(), OUTPUTS.clone().requires_grad_()
    bregman_divergence(rows, candidates).sum().backward()
    assert candidates.grad is None and rows.grad is not None
    # Of row 0, winner 0, against the winners 0, 1, 1, 2.
    assert rows.grad[0].tolist() == [3.0, -2.0, -1.0]
