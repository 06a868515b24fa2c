"""SynCo, type 4, by its definition: noise that the queries of a batch share."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mochi_mm.models.mixers import NoiseInjection
from mochi_mm.structures import Plan
from tests.models.mixers.toy import (
    DTYPES,
    check_draws,
    check_each_query_uses_its_own_negatives,
    check_value_and_gradient,
    drawn,
    make,
)

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
