"""What the tests of the mixers share: queries with hard negatives, and mixers by definition."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from mochi_mm.models.functional.mixing import MIN_NORM
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


#: Lengths, angles and distances from one half, of 0 and of ten magnitudes.
SMALL = [0.0, *(10.0**-k for k in range(1, 9)), 2.0**-24]


def turned(row: Tensor, angle: float, seed: int) -> Tensor:
    """The unit float32 row (D,) at an angle to a unit row, in a random plane; itself at 0."""
    if not angle:
        return row.clone()
    other = random_units(1, len(row), seed)[0]
    across = unit(other - torch.dot(other, row.double()) * row.double())
    return unit(math.cos(angle) * row.double() + math.sin(angle) * across).float()


def opposites(row: Tensor) -> Tensor:
    """Rows (22, D) opposite to a unit float32 row up to ``SMALL`` angles, duplicates, others."""
    near = [-turned(row, angle, seed) for seed, angle in enumerate(SMALL)]
    same = [turned(row, angle, seed) for seed, angle in enumerate(SMALL)]
    return torch.stack([*near, *same, turned(row, 1.0, 50), turned(row, 2.0, 51)])


def half_and_half() -> Tensor:
    """Weights on both sides of one half, and a few others, (S,) float32."""
    around = [0.5 + sign * small for small in SMALL for sign in (-1, 1)]
    return torch.tensor([*around, 0.0, 0.02, 0.3, 0.7, 0.98, 1 - 2.0**-24])


def check_bounded(
    mixer: BaseMixer,
    query: Tensor,
    hard: HardNegatives,
    plan: Plan,
    mixture: Tensor,
    short: bool = True,
) -> None:
    """Cosines and gradients of at most 1, those of the float64 mixture (B, S, D); some short."""
    length = mixture.norm(dim=2, keepdim=True)
    h = mixture / length.clamp_min(MIN_NORM)
    leaf = query.clone().requires_grad_()
    cosines = mixer.cosines(leaf, hard, plan)
    assert cosines.dtype == torch.float32 and float(cosines.detach().abs().max()) <= 1
    expected = (query.double()[:, None] * h).sum(2)
    torch.testing.assert_close(cosines.detach().double(), expected, rtol=0, atol=2e-3)
    torch.testing.assert_close(
        mixer.features(query, hard, plan).double(), h, rtol=0, atol=2e-5
    )  # those have the rows themselves
    for s in range(mixer.num):
        (grad,) = torch.autograd.grad(cosines[:, s].sum(), leaf, retain_graph=True)
        torch.testing.assert_close(grad.double(), h[:, s], rtol=0, atol=2e-3)
    long = length[..., 0] > 0.1
    assert long.any() and (length < MIN_NORM).any() == short
    torch.testing.assert_close(
        cosines.detach().double()[long], expected[long], rtol=0, atol=1e-4
    )  # far from the origin nothing is lost
