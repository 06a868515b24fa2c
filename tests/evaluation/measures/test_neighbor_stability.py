"""Neighbors and their stability against loops, ties included."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mochi_mm.evaluation.measures import nearest_neighbors, neighbor_stability


def neighbors(features: Tensor, k: int) -> list[list[int]]:
    rows = features.double()
    found = []
    for i, row in enumerate(rows):
        others = [
            (-float(row @ other / (row.norm() * other.norm())), j)
            for j, other in enumerate(rows)
            if j != i
        ]
        found.append([j for _, j in sorted(others)[:k]])
    return found


@pytest.mark.parametrize(('samples', 'k', 'chunk'), [(2, 1, 1), (5, 4, 2), (9, 3, 4), (8, 3, 8)])
def test_against_the_loop(samples: int, k: int, chunk: int) -> None:
    first, second = (
        torch.randn(samples, 3, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2)
    )
    a, b = nearest_neighbors(first, k, chunk), nearest_neighbors(second, k, chunk)
    assert a.tolist() == neighbors(first, k)
    shares = [
        len(set(x) & set(y)) / k
        for x, y in zip(neighbors(first, k), neighbors(second, k), strict=True)
    ]
    assert neighbor_stability(a, b) == pytest.approx(sum(shares) / samples, rel=1e-12)
    assert neighbor_stability(a, a) == 1.0


def test_of_equal_cosines_the_first_is_nearer() -> None:
    equal = torch.tensor([[1.0, 0.0]]).expand(4, -1)
    assert nearest_neighbors(equal, 2).tolist() == [[1, 2], [0, 2], [0, 1], [0, 1]]


def test_chance_is_k_over_the_others() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = (
        nearest_neighbors(torch.randn(600, 40, generator=generator), 30) for _ in range(2)
    )
    assert neighbor_stability(first, second) == pytest.approx(30 / 599, abs=0.01)


def test_bad_input() -> None:
    for k in (0, 3):
        with pytest.raises(ValueError, match=f'k is {k}'):
            nearest_neighbors(torch.randn(3, 2), k)
    with pytest.raises(ValueError, match='neighbors of shapes'):
        neighbor_stability(torch.zeros(2, 3), torch.zeros(2, 2))
