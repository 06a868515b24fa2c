"""What the tests of the mixers share: queries with hard negatives, and mixers by definition."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mochi_mm.models.mixers import BaseMixer
from mochi_mm.structures import HardNegatives, Plan
from tests.reference import dot, random_units, unit

DIM = 16
SIZES = [(b, n, s) for b in (1, 7, 64) for n in (1, 7, 64) for s in (1, 7, 64)] + [(7, 7, 200)]
DTYPES = [torch.float32, torch.float64]
#: Of the query, the hard negatives (N, D) of it and the plan, at query b and synthetic negative s.
Definition = Callable[[Tensor, Tensor, Plan, int, int], Tensor]


def make(
    batch: int, hard: int, dtype: torch.dtype = torch.float32, dim: int = DIM
) -> tuple[Tensor, HardNegatives]:
    """Unit queries and the hardest of eighty rows."""
    query, bank = random_units(batch, dim, 1).to(dtype), random_units(80, dim, 2).to(dtype)
    similarity, index = (query @ bank.T).topk(hard, dim=1)
    return query, HardNegatives(bank, index, similarity)


def drawn(mixer: BaseMixer, hard: HardNegatives, seed: int = 0) -> Plan:
    plan = mixer.plan(hard, torch.Generator().manual_seed(seed))
    return Plan(plan.first, plan.weight.to(hard.bank.dtype), plan.second, plan.noise)


def check_value_and_gradient(
    mixer: BaseMixer, definition: Definition, batch: int, hard: int, dtype: torch.dtype
) -> None:
    """Features are the definition; cosines are theirs, with the gradient of constants."""
    query, negatives = make(batch, hard, dtype)
    plan = drawn(mixer, negatives)
    leaf = query.clone().requires_grad_()
    weight = torch.randn(batch, mixer.num, generator=torch.Generator().manual_seed(3), dtype=dtype)
    cosines = mixer.cosines(leaf, negatives, plan)
    (cosines * weight).sum().backward()
    features = mixer.features(query, negatives, plan)
    assert leaf.grad is not None and not features.requires_grad
    tolerance = 2e-7 if dtype == torch.float64 else 2e-5
    rows = negatives.features.double()
    # The loop is slow: of large batches a few queries, the others against the reference below.
    queries = range(batch) if batch * mixer.num <= 1000 else (0, batch // 2, batch - 1)
    for b in queries:
        gradient = torch.zeros(query.shape[1], dtype=torch.float64)
        for s in range(mixer.num):
            h = unit(definition(query[b].double(), rows[b], plan, b, s))
            torch.testing.assert_close(features[b, s].double(), h, rtol=0, atol=tolerance)
            assert abs(cosines[b, s].item() - dot(query[b], h)) < tolerance
            gradient += weight[b, s].double() * h
        torch.testing.assert_close(
            leaf.grad[b].double(), gradient, rtol=0, atol=tolerance * mixer.num
        )
    # All queries at once, against the plain reference.
    plain = query.clone().requires_grad_()
    expected = (plain[:, None] * features).sum(-1)
    (expected * weight).sum().backward()
    assert plain.grad is not None
    assert _relative(cosines.detach(), expected.detach()) < 1e-5
    assert _relative(leaf.grad, plain.grad) < 1e-5


def _relative(value: Tensor, expected: Tensor) -> float:
    return float((value - expected).abs().max() / expected.abs().max())


def check_each_query_uses_its_own_negatives(mixer: BaseMixer) -> None:
    query, negatives = make(3, 4)
    plan = drawn(mixer, negatives)
    together = mixer.cosines(query, negatives, plan)
    for b in range(3):
        alone = HardNegatives(
            negatives.bank, negatives.index[b : b + 1], negatives.similarity[b : b + 1]
        )
        second = None if plan.second is None else plan.second[b : b + 1]
        own = Plan(plan.first[b : b + 1], plan.weight[b : b + 1], second, plan.noise)
        torch.testing.assert_close(mixer.cosines(query[b : b + 1], alone, own), together[b : b + 1])


def check_draws(mixer: BaseMixer) -> Plan:
    """A plan repeats, is uniform over the usable ones, and never leaves them; returns a plan."""
    _, negatives = make(4, 6)
    plan, again = (drawn(mixer, negatives, seed=5) for _ in range(2))
    for name in ('first', 'weight', 'second', 'noise'):
        value, other = getattr(plan, name), getattr(again, name)
        assert value is other is None or torch.equal(value, other), name
    positions = [plan.first] if plan.second is None else [plan.first, plan.second]
    for position in positions:
        assert position.dtype == torch.int64 and position.shape == (4, mixer.num)
        share = torch.bincount(position.flatten(), minlength=6).double() / position.numel()
        assert len(share) == 6 and float((share - 1 / 6).abs().max()) < 0.03
    count = torch.tensor([1, 4, 0])
    bounded = HardNegatives(negatives.bank, negatives.index[:3], negatives.similarity[:3], count)
    few = drawn(mixer, bounded)
    for position in [few.first] if few.second is None else [few.first, few.second]:
        assert position[0].max() == 0 and position[2].max() == 0
        assert set(position[1].tolist()) == {0, 1, 2, 3}
    return plan
