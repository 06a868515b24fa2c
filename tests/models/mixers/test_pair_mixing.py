"""Pair mixing by its definition; distinct pairs; what it holds and refuses."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mochi_mm.models.mixers import PairMixing
from mochi_mm.structures import HardNegatives, Plan
from tests.models.mixers.toy import (
    DTYPES,
    SIZES,
    check_bounded,
    check_draws,
    check_each_query_uses_its_own_negatives,
    check_value_and_gradient,
    half_and_half,
    make,
    opposites,
)
from tests.reference import random_units


def definition(query: Tensor, rows: Tensor, plan: Plan, b: int, s: int) -> Tensor:
    assert plan.second is not None
    w = plan.weight[b, s].double()
    return w * rows[plan.first[b, s]] + (1 - w) * rows[plan.second[b, s]]


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize(('batch', 'hard', 'num'), SIZES)
def test_value_and_gradient(batch: int, hard: int, num: int, dtype: torch.dtype) -> None:
    check_value_and_gradient(PairMixing(num), definition, batch, hard, dtype)


def test_each_query_uses_its_own_negatives() -> None:
    check_each_query_uses_its_own_negatives(PairMixing(5))


def test_draws() -> None:
    plan = check_draws(PairMixing(1000))
    assert plan.weight.min() >= 0 and plan.weight.max() < 1
    assert float(plan.weight.mean()) == pytest.approx(0.5, abs=0.02)


def test_distinct_pairs() -> None:
    _, negatives = make(2, 3)
    plan = PairMixing(600, distinct=True).plan(negatives, torch.Generator().manual_seed(0))
    assert plan.second is not None
    assert (plan.first != plan.second).all()
    pairs = torch.bincount((plan.first * 3 + plan.second).flatten(), minlength=9).double() / 1200
    torch.testing.assert_close(
        pairs, (1 - torch.eye(3, dtype=torch.float64)).flatten() / 6, atol=0.04, rtol=0
    )
    loose = PairMixing(600).plan(negatives, torch.Generator().manual_seed(0))
    assert (loose.first == loose.second).any()
    for refused in (lambda: PairMixing(2, distinct=True).plan(make(2, 1)[1]),
                    lambda: PairMixing(2, distinct=True).check_num_hard(1)):  # fmt: skip
        with pytest.raises(ValueError, match='num_hard is 1; expected at least 2'):
            refused()


def test_distinct_pairs_of_queries_with_few_usable_rows() -> None:
    """One that may use none, one, or two of its three."""
    _, negatives = make(3, 3)
    hard = HardNegatives(
        negatives.bank, negatives.index, negatives.similarity, torch.tensor([0, 1, 2])
    )
    plan = PairMixing(50, distinct=True).plan(hard, torch.Generator().manual_seed(0))
    assert plan.second is not None
    assert not plan.first[:2].any() and not plan.second[:2].any()
    assert set(plan.first[2].tolist()) == {0, 1} and (plan.first[2] + plan.second[2] == 1).all()


@pytest.mark.parametrize('dim', [4, 128])
def test_opposite_rows(dim: int) -> None:
    """Mixed near half and half, in either order."""
    row = random_units(1, dim, 0).float()[0]
    bank = torch.cat([row[None], opposites(row)])
    weight = half_and_half()
    partner = torch.arange(1, len(bank)).repeat(2, 1)
    index = torch.stack([torch.zeros_like(partner), partner], dim=2).view(-1, 2)
    index[: len(partner[0])] = index[: len(partner[0])].flip(1)
    query = random_units(len(index), dim, 9).float()
    query[::2] = row
    hard = HardNegatives(bank, index, torch.einsum('bd,bnd->bn', query, bank[index]))
    first = torch.zeros(len(index), len(weight), dtype=torch.int64)
    plan = Plan(first, weight.expand(first.shape), first + 1)
    w, x, y = plan.weight.double()[..., None], *bank[index].double().unbind(1)
    mixture = w * x[:, None] + (1 - w) * y[:, None]
    check_bounded(PairMixing(len(weight)), query, hard, plan, mixture)


def test_opposite_rows_as_a_batch_norm_over_two_images_makes_them() -> None:
    """Weight 0.50002 gave 12877824."""
    row = random_units(1, 8, 0).float()
    query = random_units(1, 8, 1).float().requires_grad_()
    bank = torch.cat([row, -row])
    hard = HardNegatives(bank, torch.tensor([[0, 1]]), query.detach() @ bank.T)
    weight = torch.tensor([[0.5, 0.50002]])
    plan = Plan(torch.tensor([[0, 0]]), weight, torch.tensor([[1, 1]]))
    cosines = PairMixing(2).cosines(query, hard, plan)
    cosines.sum().backward()
    assert query.grad is not None and float(query.grad.norm()) < 0.005
    assert float(cosines[0, 0]) == 0 and float(cosines.detach().abs().max()) < 0.005


def test_never_holds_one_vector_a_synthetic_negative() -> None:
    """The largest saved tensor grows with B x S or B x D, not with B x S x D."""
    mixer = PairMixing(512)
    query, negatives = make(16, 8, dim=64)
    plan = mixer.plan(negatives, torch.Generator().manual_seed(0))
    sizes: list[int] = []

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        sizes.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        mixer.cosines(query.clone().requires_grad_(), negatives, plan)
    assert max(sizes) <= 16 * 512


def test_a_plan_of_another_mixer_is_refused() -> None:
    query, negatives = make(1, 2)
    with pytest.raises(ValueError, match='PairMixing got a plan without `second`'):
        PairMixing(1).cosines(query, negatives, Plan(torch.tensor([[0]]), torch.tensor([[0.5]])))
