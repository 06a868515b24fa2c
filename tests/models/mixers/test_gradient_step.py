"""SynCo, type 5, by its definition: up the gradient of the cosine."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mochi_mm.models.mixers import GradientStep
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
    return rows[plan.first[b, s]] + 0.1 * query


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize(('batch', 'hard', 'num'), SIZES)
def test_value_and_gradient(batch: int, hard: int, num: int, dtype: torch.dtype) -> None:
    check_value_and_gradient(GradientStep(num, step=0.1), definition, batch, hard, dtype)


def test_each_query_uses_its_own_negatives() -> None:
    check_each_query_uses_its_own_negatives(GradientStep(5))


def test_draws() -> None:
    assert check_draws(GradientStep(1000)).second is None


def test_makes_every_negative_harder() -> None:
    mixer = GradientStep(50, step=0.1)
    query, negatives = make(5, 10, torch.float64)
    plan = drawn(mixer, negatives)
    parents = negatives.similarity.gather(1, plan.first)
    assert (mixer.cosines(query, negatives, plan) > parents).all()


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match='step is 0.0; expected a number above'):
        GradientStep(3, step=0.0)


@pytest.mark.parametrize('value', [float('inf'), float('nan'), 1e25])
def test_lengths_whose_squares_overflow_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match='GradientStep step is'):
        GradientStep(num=1, step=value)
