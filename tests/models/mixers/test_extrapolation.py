"""SynCo, type 2, by its definition: beyond the negative, away from the query."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mochi_mm.models.mixers import Extrapolation
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
    return query + (1 - plan.weight[b, s].double()) * (rows[plan.first[b, s]] - query)


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize(('batch', 'hard', 'num'), SIZES)
def test_value_and_gradient(batch: int, hard: int, num: int, dtype: torch.dtype) -> None:
    check_value_and_gradient(Extrapolation(num), definition, batch, hard, dtype)


def test_each_query_uses_its_own_negatives() -> None:
    check_each_query_uses_its_own_negatives(Extrapolation(5))


def test_draws() -> None:
    reach = 1 - check_draws(Extrapolation(1000)).weight
    assert 1 <= float(reach.min()) < 1.01 and 1.49 < float(reach.max()) <= 1.5


def test_lies_beyond_the_negative() -> None:
    mixer = Extrapolation(2000, max_reach=1.5)
    query, negatives = make(2, 6, torch.float64)
    plan = drawn(mixer, negatives)
    parents = negatives.similarity.gather(1, plan.first)
    assert (mixer.cosines(query, negatives, plan) <= parents + 1e-9).all()


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match='max_reach is 1.0; expected a number above'):
        Extrapolation(3, max_reach=1.0)


@pytest.mark.parametrize('value', [float('inf'), float('nan'), 1e25])
def test_lengths_whose_squares_overflow_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match='Extrapolation max_reach is'):
        Extrapolation(num=1, max_reach=value)
