"""Query mixing by its definition; harder than its parents; what it refuses."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mochi_mm.models.mixers import QueryMixing
from mochi_mm.structures import HardNegatives, Plan
from tests.models.mixers.toy import (
    DTYPES,
    SIZES,
    check_bounded,
    check_draws,
    check_each_query_uses_its_own_negatives,
    check_value_and_gradient,
    drawn,
    half_and_half,
    make,
    opposites,
)
from tests.reference import dot, random_units, unit


def definition(query: Tensor, rows: Tensor, plan: Plan, b: int, s: int) -> Tensor:
    w = plan.weight[b, s].double()
    return w * query + (1 - w) * rows[plan.first[b, s]]


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize(('batch', 'hard', 'num'), SIZES)
def test_value_and_gradient(batch: int, hard: int, num: int, dtype: torch.dtype) -> None:
    check_value_and_gradient(QueryMixing(num), definition, batch, hard, dtype)


def test_each_query_uses_its_own_negatives() -> None:
    check_each_query_uses_its_own_negatives(QueryMixing(5))


@pytest.mark.parametrize('most', [0.5, 0.2])
def test_draws(most: float) -> None:
    plan = check_draws(QueryMixing(1000, max_weight=most))
    assert plan.second is None
    assert plan.weight.min() >= 0 and plan.weight.max() < most
    assert float(plan.weight.mean()) == pytest.approx(most / 2, abs=0.02 * most)


def test_makes_every_negative_harder() -> None:
    mixer = QueryMixing(50)
    query, negatives = make(5, 10)
    plan = drawn(mixer, negatives)
    parents = negatives.similarity.gather(1, plan.first)
    cosines = mixer.cosines(query, negatives, plan)
    assert (cosines >= parents - 1e-6).all()
    assert (cosines > parents + 1e-3).float().mean() > 0.9


@pytest.mark.parametrize('dim', [4, 128])
def test_rows_opposite_to_the_query(dim: int) -> None:
    """Mixed near half and half; a step of the gradient and beyond the negative as well."""
    row = random_units(1, dim, 0).float()[0]
    bank = opposites(row)
    weight = torch.cat([half_and_half(), torch.tensor([-0.5, -0.01, 0.01 / 1.01, -20.0])])
    query = row.repeat(len(bank), 1)
    hard = HardNegatives(bank, torch.arange(len(bank))[:, None], (query * bank).sum(1)[:, None])
    first = torch.zeros(len(bank), len(weight), dtype=torch.int64)
    plan = Plan(first, weight.expand(first.shape))
    w = plan.weight.double()[..., None]
    mixture = w * query.double()[:, None] + (1 - w) * bank.double()[:, None]
    check_bounded(QueryMixing(len(weight)), query, hard, plan, mixture)


def test_the_weight_is_of_the_query() -> None:
    """Weight 0 gives the negative itself, not the query."""
    query, negatives = make(1, 3)
    plan = Plan(torch.tensor([[1]]), torch.tensor([[0.0]]))
    feature = QueryMixing(1).features(query, negatives, plan)[0, 0]
    torch.testing.assert_close(feature, negatives.bank[negatives.index[0, 1]])
    nearly = Plan(torch.tensor([[1]]), torch.tensor([[0.25]]))
    cosine = float(QueryMixing(1).cosines(query, negatives, nearly))
    row = negatives.bank[negatives.index[0, 1]].double()
    assert cosine == pytest.approx(
        dot(query[0], unit(0.25 * query[0].double() + 0.75 * row)), abs=1e-6
    )


@pytest.mark.parametrize('weight', [0, 0.51, 1.0, -0.1])
def test_bad_weight(weight: float) -> None:
    with pytest.raises(ValueError, match=rf'max_weight is {weight}.*\(0, 0.5\]'):
        QueryMixing(4, max_weight=weight)
