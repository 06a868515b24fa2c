"""SynCo, type 6, by its definition: up the sign of the gradient of the cosine."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mochi_mm.models.mixers import SignStep
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
    signs = torch.tensor([1.0 if x > 0 else -1.0 for x in query], dtype=torch.float64)
    return rows[plan.first[b, s]] + 0.1 * signs


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize(('batch', 'hard', 'num'), SIZES)
def test_value_and_gradient(batch: int, hard: int, num: int, dtype: torch.dtype) -> None:
    check_value_and_gradient(SignStep(num, step=0.1), definition, batch, hard, dtype)


def test_each_query_uses_its_own_negatives() -> None:
    check_each_query_uses_its_own_negatives(SignStep(5))


def test_draws() -> None:
    assert check_draws(SignStep(1000)).second is None


@pytest.mark.parametrize('dim', [4, 64])
def test_a_step_that_takes_the_row_away(dim: int) -> None:
    query = random_units(1, dim, 0).float()
    signs = query.sign()
    bank = opposites(signs[0] / dim**0.5)  # a unit row, exactly
    index = torch.arange(len(bank))[None]
    for step in (1.0, 0.9, 1.02, 0.9999, 1.000001, 0.01):
        step /= dim**0.5
        hard = HardNegatives(bank, index, query @ bank.T)
        mixture = (bank.double() + step * signs.double())[None]
        mixer = SignStep(len(bank), step=step)
        plan = Plan(index, torch.ones(index.shape))
        check_bounded(mixer, query, hard, plan, mixture, abs(step * dim**0.5 - 1) < 0.005)


def test_makes_every_negative_harder() -> None:
    mixer = SignStep(50, step=0.1)
    query, negatives = make(5, 10, torch.float64)
    plan = drawn(mixer, negatives)
    parents = negatives.similarity.gather(1, plan.first)
    assert (mixer.cosines(query, negatives, plan) > parents).all()


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match='step is 0.0; expected a number above'):
        SignStep(3, step=0.0)


@pytest.mark.parametrize('value', [float('inf'), float('nan'), 1e25])
def test_lengths_whose_squares_overflow_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match='SignStep step is'):
        SignStep(num=1, step=value)
