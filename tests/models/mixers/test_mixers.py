"""Mixers: plans in range, features by the definition, logits equal to both."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from mochi_mm.models.mixers import BaseMixer, PairMixing, QueryMixing
from mochi_mm.structures import HardNegatives, Plan
from tests.reference import dot, random_units, unit

MIXERS: list[Callable[[int], BaseMixer]] = [PairMixing, QueryMixing]
SIZES = [(b, n, s) for b in (1, 7, 64) for n in (1, 7, 64) for s in (1, 7, 64)] + [(7, 7, 200)]


def make(
    batch: int, hard: int, dtype: torch.dtype = torch.float32, dim: int = 16, rows: int = 80
) -> tuple[torch.Tensor, HardNegatives]:
    query, bank = random_units(batch, dim, 1).to(dtype), random_units(rows, dim, 2).to(dtype)
    similarity, index = (query @ bank.T).topk(hard, dim=1)
    return query, HardNegatives(bank, index, similarity)


def synthetic_loop(
    mixer: BaseMixer, query: torch.Tensor, hard: HardNegatives, plan: Plan
) -> torch.Tensor:
    """The synthetic negatives by their definition, one at a time, in float64."""
    batch, num = plan.first.shape
    result = torch.zeros(batch, num, query.shape[1], dtype=torch.float64)
    for b in range(batch):
        for s in range(num):
            n_i = hard.bank[hard.index[b, plan.first[b, s]]].double()
            w = plan.weight[b, s].double()
            if isinstance(mixer, PairMixing):
                assert plan.second is not None
                n_j = hard.bank[hard.index[b, plan.second[b, s]]].double()
                result[b, s] = unit(w * n_i + (1 - w) * n_j)
            else:
                result[b, s] = unit(w * query[b].double() + (1 - w) * n_i)
    return result


@pytest.mark.parametrize('kind', MIXERS)
@pytest.mark.parametrize(('batch', 'hard', 'num'), [(1, 1, 1), (3, 7, 1), (3, 2, 9), (2, 16, 5)])
def test_features_are_the_definition(kind: Callable, batch: int, hard: int, num: int) -> None:
    mixer = kind(num)
    query, negatives = make(batch, hard)
    plan = mixer.plan(negatives, torch.Generator().manual_seed(0))
    features = mixer.features(query, negatives, plan)
    torch.testing.assert_close(
        features.double(), synthetic_loop(mixer, query, negatives, plan), rtol=1e-5, atol=1e-6
    )
    assert not features.requires_grad


@pytest.mark.parametrize('kind', MIXERS)
@pytest.mark.parametrize(('batch', 'hard', 'num'), SIZES)
def test_logits_equal_query_dot_features(kind: Callable, batch: int, hard: int, num: int) -> None:
    """Value and gradient to 1e-5 of their scale, float32."""
    mixer = kind(num)
    query, negatives = make(batch, hard)
    plan = mixer.plan(negatives, torch.Generator().manual_seed(0))
    weight = torch.randn(batch, num, generator=torch.Generator().manual_seed(3))

    fast = query.clone().requires_grad_()
    logits = mixer.cosines(fast, negatives, plan)
    (logits * weight).sum().backward()

    plain = query.clone().requires_grad_()
    features = mixer.features(plain, negatives, plan)
    expected = (plain[:, None] * features).sum(-1)
    (expected * weight).sum().backward()

    assert fast.grad is not None and plain.grad is not None
    assert relative(logits.detach(), expected.detach()) < 1e-5
    assert relative(fast.grad, plain.grad) < 1e-5


def relative(value: torch.Tensor, expected: torch.Tensor) -> float:
    return float((value - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize('kind', MIXERS)
def test_gradient_is_that_of_constants_float64(kind: Callable) -> None:
    mixer = kind(6)
    query, negatives = make(4, 5, torch.float64)
    plan = mixer.plan(negatives, torch.Generator().manual_seed(1))
    plan = Plan(plan.first, plan.weight.double(), plan.second)
    leaf = query.clone().requires_grad_()
    weight = torch.randn(4, 6, dtype=torch.float64)
    (mixer.cosines(leaf, negatives, plan) * weight).sum().backward()
    synthetic = synthetic_loop(mixer, query, negatives, plan)
    for b in range(4):
        expected = sum(weight[b, s] * synthetic[b, s] for s in range(6))
        assert leaf.grad is not None
        torch.testing.assert_close(leaf.grad[b], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize('kind', MIXERS)
def test_each_query_uses_its_own_negatives(kind: Callable) -> None:
    mixer = kind(5)
    query, negatives = make(3, 4)
    plan = mixer.plan(negatives, torch.Generator().manual_seed(0))
    together = mixer.cosines(query, negatives, plan)
    for b in range(3):
        alone = HardNegatives(
            negatives.bank, negatives.index[b : b + 1], negatives.similarity[b : b + 1]
        )
        own = Plan(
            plan.first[b : b + 1],
            plan.weight[b : b + 1],
            None if plan.second is None else plan.second[b : b + 1],
        )
        torch.testing.assert_close(mixer.cosines(query[b : b + 1], alone, own), together[b : b + 1])


def test_query_mixing_makes_every_negative_harder() -> None:
    mixer = QueryMixing(50)
    query, negatives = make(5, 10)
    plan = mixer.plan(negatives, torch.Generator().manual_seed(0))
    parents = negatives.similarity.gather(1, plan.first)
    assert (mixer.cosines(query, negatives, plan) >= parents - 1e-6).all()
    assert (mixer.cosines(query, negatives, plan) > parents + 1e-3).float().mean() > 0.9


def test_query_weight_is_of_the_query() -> None:
    """Weight 0 gives the negative itself, not the query."""
    query, negatives = make(1, 3)
    plan = Plan(torch.tensor([[1]]), torch.tensor([[0.0]]))
    feature = QueryMixing(1).features(query, negatives, plan)[0, 0]
    torch.testing.assert_close(feature, negatives.bank[negatives.index[0, 1]])
    nearly = Plan(torch.tensor([[1]]), torch.tensor([[0.25]]))
    logit = float(QueryMixing(1).logits(query, negatives, nearly))
    row = negatives.bank[negatives.index[0, 1]].double()
    assert logit == pytest.approx(
        dot(query[0], unit(0.25 * query[0].double() + 0.75 * row)), abs=1e-6
    )


@pytest.mark.parametrize('kind', MIXERS)
def test_plan_is_reproducible_and_in_range(kind: Callable) -> None:
    mixer = kind(1000)
    _, negatives = make(4, 6)
    plan = mixer.plan(negatives, torch.Generator().manual_seed(5))
    again = mixer.plan(negatives, torch.Generator().manual_seed(5))
    assert torch.equal(plan.first, again.first) and torch.equal(plan.weight, again.weight)
    assert plan.first.dtype == torch.int64 and plan.first.shape == (4, 1000)
    assert set(plan.first.unique().tolist()) == set(range(6))
    counts = torch.bincount(plan.first.flatten(), minlength=6).double() / 4000
    assert (counts - 1 / 6).abs().max() < 0.03
    top = 0.5 if kind is QueryMixing else 1.0
    assert plan.weight.min() >= 0 and plan.weight.max() < top
    assert float(plan.weight.mean()) == pytest.approx(top / 2, abs=0.02 * top)


@pytest.mark.parametrize('kind', MIXERS)
def test_plan_stays_within_the_usable_ones(kind: Callable) -> None:
    mixer = kind(500)
    _, negatives = make(3, 6)
    count = torch.tensor([1, 4, 0])
    plan = mixer.plan(
        HardNegatives(negatives.bank, negatives.index, negatives.similarity, count),
        torch.Generator().manual_seed(0),
    )
    for drawn in [plan.first] + ([] if plan.second is None else [plan.second]):
        assert (
            drawn[0].max() == 0 and set(drawn[1].tolist()) == {0, 1, 2, 3} and drawn[2].max() == 0
        )


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
    with pytest.raises(ValueError, match='num_hard is 1; expected at least 2'):
        PairMixing(2, distinct=True).plan(make(2, 1)[1])


def test_opposite_rows_give_no_nan() -> None:
    row = random_units(1, 8, 0).float()
    negatives = HardNegatives(
        torch.cat([row, -row]), torch.tensor([[0, 1]]), torch.tensor([[0.2, -0.2]])
    )
    plan = Plan(torch.tensor([[0]]), torch.tensor([[0.5]]), torch.tensor([[1]]))
    query = random_units(1, 8, 1).float().requires_grad_()
    PairMixing(1).logits(query, negatives, plan).sum().backward()
    assert query.grad is not None and torch.isfinite(query.grad).all()


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


@pytest.mark.parametrize('kind', MIXERS)
@pytest.mark.parametrize('num', [0, -1, 2.5, True])
def test_bad_num(kind: Callable, num: float) -> None:
    with pytest.raises(ValueError, match=f'num is {num}.*expected an integer >= 1'):
        kind(num)


@pytest.mark.parametrize('weight', [0, 0.51, 1.0, -0.1])
def test_bad_query_weight(weight: float) -> None:
    with pytest.raises(ValueError, match=rf'max_weight is {weight}.*\(0, 0.5\]'):
        QueryMixing(4, max_weight=weight)
