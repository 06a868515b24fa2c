"""SynCo, type 4, by its definition: noise that the queries of a batch share."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mochi_mm.models.mixers import NoiseInjection
from mochi_mm.structures import HardNegatives, Plan
from tests.models.mixers.toy import (
    DTYPES,
    check_bounded,
    check_draws,
    check_each_query_uses_its_own_negatives,
    check_value_and_gradient,
    drawn,
    make,
    opposites,
)
from tests.reference import random_units

SIZES = [(1, 1, 1), (1, 7, 3), (7, 1, 64), (7, 64, 7), (64, 7, 1), (5, 7, 200)]


def definition(query: Tensor, rows: Tensor, plan: Plan, b: int, s: int) -> Tensor:
    assert plan.noise is not None
    return rows[plan.first[b, s]] + plan.noise[s].double()


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize(('batch', 'hard', 'num'), SIZES)
def test_value_and_gradient(batch: int, hard: int, num: int, dtype: torch.dtype) -> None:
    check_value_and_gradient(NoiseInjection(num), definition, batch, hard, dtype)


def test_each_query_uses_its_own_negatives() -> None:
    check_each_query_uses_its_own_negatives(NoiseInjection(5))


def test_draws() -> None:
    plan = check_draws(NoiseInjection(1000))
    assert plan.second is None and (plan.weight == 1).all()


@pytest.mark.parametrize('dim', [4, 128])
def test_noise_that_takes_the_row_away(dim: int) -> None:
    row = random_units(1, dim, 0).float()[0]
    length = torch.tensor([1.0, 1 - 1e-1, 1 + 1e-2, 1 - 1e-3, 1 + 1e-4, 1 - 1e-6, 0.01, 3.0])
    noise = (length[:, None, None] * opposites(row)).flatten(0, 1)
    query = torch.stack([row, *random_units(2, dim, 5).float()])
    hard = HardNegatives(row[None], torch.zeros(3, 1, dtype=torch.int64), (query @ row)[:, None])
    first = torch.zeros(3, len(noise), dtype=torch.int64)
    plan = Plan(first, torch.ones(first.shape), noise=noise)
    mixture = (row.double() + noise.double()).expand(3, -1, -1)
    check_bounded(NoiseInjection(len(noise)), query, hard, plan, mixture)


def test_noise_has_the_stated_deviation() -> None:
    _, negatives = make(2, 3)
    noise = drawn(NoiseInjection(4000, std=0.05), negatives).noise
    assert noise is not None and noise.shape == (4000, 16)
    assert float(noise.std()) == pytest.approx(0.05, rel=0.02)
    assert float(noise.mean()) == pytest.approx(0, abs=0.001)


def test_a_plan_of_another_mixer_is_refused() -> None:
    query, negatives = make(1, 2)
    with pytest.raises(ValueError, match='the plan has no noise'):
        NoiseInjection(1).cosines(query, negatives, Plan(torch.tensor([[0]]), torch.ones(1, 1)))


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match='std is -1.0; expected a number above'):
        NoiseInjection(3, std=-1.0)


@pytest.mark.parametrize('value', [float('inf'), float('nan'), 1e25])
def test_lengths_whose_squares_overflow_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match='NoiseInjection std is'):
        NoiseInjection(num=1, std=value)
