"""Closed forms of mixtures, their parts and their gradient, against vectors."""

from __future__ import annotations

import math

import pytest
import torch

from mochi_mm.models.functional import mixing
from mochi_mm.models.functional.mixing import (
    MIN_NORM,
    constant_cosines,
    mixture_norm,
    pair_cosines,
    pair_mixing_cosines,
    query_mixing_cosines,
    row_products,
    sum_of_rows,
)
from tests.reference import dot, random_units, unit

BANK = random_units(12, 5, 0)
INDEX = torch.tensor([[3, 7, 1], [0, 11, 5]])


def drawn(num: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(3, (2, num), generator=torch.Generator().manual_seed(seed))


def weights(num: int) -> torch.Tensor:
    return torch.rand(2, num, generator=torch.Generator().manual_seed(9), dtype=torch.float64)


def test_the_norm_of_a_mixture() -> None:
    for w in (0.0, 0.3, 0.5, 1.0, 1.4, -0.5):
        x, y = BANK[0], BANK[1]
        mixed = w * x + (1 - w) * y
        cosine = torch.tensor(dot(x, y), dtype=torch.float64)
        norm = mixture_norm(torch.tensor(w, dtype=torch.float64), cosine)
        assert float(norm) == pytest.approx(math.sqrt(dot(mixed, mixed)), abs=1e-12)
    assert float(mixture_norm(torch.tensor(0.5), torch.tensor(-1.0))) == pytest.approx(MIN_NORM)


@pytest.mark.parametrize('bound', [1, 4, 1000])
@pytest.mark.parametrize('num', [1, 3, 7])
def test_products_are_taken_a_bounded_number_at_a_time(
    num: int, bound: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mixing, '_PAIRS_ON_CPU', bound)
    first, second = drawn(num), drawn(num, 1)
    cosines = pair_cosines(BANK, INDEX, first, second)
    left, right = INDEX.gather(1, first), INDEX.gather(1, second)
    assert torch.equal(row_products(BANK, left, BANK, right), cosines)
    for b in range(2):
        for s in range(num):
            expected = dot(BANK[left[b, s]], BANK[right[b, s]])
            assert float(cosines[b, s]) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize('num', [1, 3, 4, 50])
def test_sums_of_rows(num: int) -> None:
    """More terms than rows, or not."""
    position, weight = drawn(num), weights(num)
    total = sum_of_rows(BANK, INDEX, position, weight)
    for b in range(2):
        expected = sum(weight[b, s] * BANK[INDEX[b, position[b, s]]] for s in range(num))
        torch.testing.assert_close(total[b], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize('kind', ['pairs', 'query'])
@pytest.mark.parametrize('num', [1, 2, 9])
def test_mixtures_equal_their_vectors(num: int, kind: str) -> None:
    query = random_units(2, 5, 4)
    similarity = torch.einsum('bd,bnd->bn', query, BANK[INDEX])
    first, second, w, upstream = drawn(num), drawn(num, 1), weights(num), weights(num) - 0.5
    leaf = query.clone().requires_grad_()
    if kind == 'pairs':
        cosines = pair_mixing_cosines(leaf, BANK, INDEX, similarity, first, second, w)
    else:
        cosines = query_mixing_cosines(leaf, BANK, INDEX, similarity, first, w)
    (cosines * upstream).sum().backward()
    assert leaf.grad is not None
    for b in range(2):
        gradient = torch.zeros(5, dtype=torch.float64)
        for s in range(num):
            x = BANK[INDEX[b, first[b, s]]]
            y = BANK[INDEX[b, second[b, s]]] if kind == 'pairs' else x
            x = x if kind == 'pairs' else query[b]
            h = unit(w[b, s] * x + (1 - w[b, s]) * y)
            assert cosines[b, s].item() == pytest.approx(dot(query[b], h), abs=1e-12)
            gradient += upstream[b, s] * h
        torch.testing.assert_close(leaf.grad[b], gradient, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize('shared', [True, False])
def test_constants_may_have_a_direction(shared: bool) -> None:
    """Of each query (B, D), or of each synthetic negative (S, 1, D)."""
    num, query = 4, random_units(2, 5, 4).requires_grad_()
    direction = random_units(num, 5, 6)[:, None] if shared else random_units(2, 5, 6)
    position, row_weight, along = drawn(num), weights(num), weights(num) + 1
    upstream = weights(num) - 0.5
    values = weights(num)
    result = constant_cosines(
        query, values, BANK, INDEX, (position,), (row_weight,), direction, along
    )
    assert torch.equal(result, values)
    (result * upstream).sum().backward()
    assert query.grad is not None
    for b in range(2):
        expected = torch.zeros(5, dtype=torch.float64)
        for s in range(num):
            towards = direction[s, 0] if shared else direction[b]
            h = row_weight[b, s] * BANK[INDEX[b, position[b, s]]] + along[b, s] * towards
            expected += upstream[b, s] * h
        torch.testing.assert_close(query.grad[b], expected, rtol=1e-12, atol=1e-12)


def test_a_cosine_stays_one_whatever_the_rounding() -> None:
    """Near the shortest mixtures the scalars round in the fourth digit."""
    query, bank = torch.eye(2)[:1].requires_grad_(), torch.eye(2)
    zero = torch.zeros(1, 3, dtype=torch.int64)
    beyond = torch.tensor([[1.0004, 0.3, -1.0004]])
    weights = (torch.ones(1, 3),)
    cosine = constant_cosines(query, beyond, bank, torch.tensor([[0]]), (zero,), weights)
    assert cosine.tolist() == [[1.0, pytest.approx(0.3), -1.0]]
    cosine.sum().backward()
    assert query.grad is not None and query.grad.tolist() == [[3.0, 0.0]]  # of the rows as ever
