"""Closed forms of moved negatives and their gradient, against vectors."""

from __future__ import annotations

import math

import pytest
import torch

from mochi_mm.models.functional.mixing import MIN_NORM
from mochi_mm.models.functional.moved_negatives import moved_norm, noise_cosines, sign_step_cosines
from tests.reference import dot, random_units, unit

BANK = random_units(12, 5, 0)
INDEX = torch.tensor([[3, 7, 1], [0, 11, 5]])
QUERY = random_units(2, 5, 4)
SIMILARITY = torch.einsum('bd,bnd->bn', QUERY, BANK[INDEX])


def test_the_norm_of_a_moved_row() -> None:
    n, v = BANK[0], 0.3 * BANK[1]
    moved = n + v
    along = torch.tensor(dot(n, v), dtype=torch.float64)
    norm = moved_norm(along, torch.tensor(dot(v, v), dtype=torch.float64))
    assert float(norm) == pytest.approx(math.sqrt(dot(moved, moved)), abs=1e-12)
    at_the_origin = moved_norm(torch.tensor(-1.0), 1.0)
    assert float(at_the_origin) == pytest.approx(MIN_NORM)


@pytest.mark.parametrize('kind', ['noise', 'sign'])
@pytest.mark.parametrize('num', [1, 2, 9])
def test_moved_rows_equal_their_vectors(num: int, kind: str) -> None:
    generator = torch.Generator().manual_seed(1)
    first = torch.randint(3, (2, num), generator=generator)
    noise = 0.2 * torch.randn(num, 5, generator=generator, dtype=torch.float64)
    upstream = torch.randn(2, num, generator=generator, dtype=torch.float64)
    leaf = QUERY.clone().requires_grad_()
    if kind == 'noise':
        cosines = noise_cosines(leaf, BANK, INDEX, SIMILARITY, first, noise)
    else:
        cosines = sign_step_cosines(leaf, BANK, INDEX, SIMILARITY, first, 0.1)
    (cosines * upstream).sum().backward()
    assert leaf.grad is not None
    for b in range(2):
        gradient = torch.zeros(5, dtype=torch.float64)
        signs = torch.tensor([math.copysign(0.1, x) for x in QUERY[b].tolist()]).double()
        for s in range(num):
            step = noise[s] if kind == 'noise' else signs
            h = unit(BANK[INDEX[b, first[b, s]]] + step)
            assert cosines[b, s].item() == pytest.approx(dot(QUERY[b], h), abs=1e-8)
            gradient += upstream[b, s] * h
        torch.testing.assert_close(leaf.grad[b], gradient, rtol=0, atol=1e-7)
