"""SynCo's strategies: features by the definition, logits and gradients equal to them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from mochi_mm.models.functional.info_nce import info_nce
from mochi_mm.models.mixers import (
    BaseMixer,
    Extrapolation,
    GradientStep,
    NoiseInjection,
    PairMixing,
    QueryMixing,
    SignStep,
)
from mochi_mm.structures import HardNegatives, Plan
from tests.reference import dot, random_units, unit

MIXERS: list[Callable[..., BaseMixer]] = [Extrapolation, GradientStep, NoiseInjection, SignStep]
SIZES = [(1, 1, 1), (1, 7, 3), (7, 1, 64), (7, 64, 7), (64, 7, 1), (5, 7, 200)]


def make(
    batch: int, hard: int, dtype: torch.dtype = torch.float64
) -> tuple[torch.Tensor, HardNegatives]:
    query, bank = random_units(batch, 16, 1).to(dtype), random_units(80, 16, 2).to(dtype)
    similarity, index = (query @ bank.T).topk(hard, dim=1)
    return query, HardNegatives(bank, index, similarity)


def drawn(mixer: BaseMixer, hard: HardNegatives, seed: int = 0) -> Plan:
    plan = mixer.plan(hard, torch.Generator().manual_seed(seed))
    return Plan(plan.first, plan.weight.to(hard.bank.dtype), plan.second, plan.noise)


def synthetic(mixer: BaseMixer, query: torch.Tensor, hard: HardNegatives, plan: Plan) -> list:
    """The definitions of SynCo, one vector at a time, in float64."""
    result = []
    for b, q in enumerate(query.double()):
        row = []
        for s, j in enumerate(plan.first[b]):
            n = hard.bank[hard.index[b, j]].double()
            if isinstance(mixer, Extrapolation):
                row.append(unit(q + (1 - plan.weight[b, s].double()) * (n - q)))
            elif isinstance(mixer, GradientStep):
                row.append(unit(n + mixer.step * q))
            elif isinstance(mixer, NoiseInjection):
                assert plan.noise is not None
                row.append(unit(n + plan.noise[s].double()))
            else:
                assert isinstance(mixer, SignStep)
                row.append(unit(n + mixer.step * torch.tensor([1.0 if x > 0 else -1.0 for x in q])))
        result.append(row)
    return result


@pytest.mark.parametrize('kind', MIXERS)
@pytest.mark.parametrize(('batch', 'hard', 'num'), SIZES)
@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_value_and_gradient(
    kind: Callable, batch: int, hard: int, num: int, dtype: torch.dtype
) -> None:
    mixer = kind(num)
    query, negatives = make(batch, hard, dtype)
    plan = drawn(mixer, negatives)
    leaf = query.clone().requires_grad_()
    weight = torch.randn(batch, num, generator=torch.Generator().manual_seed(3), dtype=dtype)
    logits = mixer.cosines(leaf, negatives, plan)
    (logits * weight).sum().backward()
    features = mixer.features(query, negatives, plan)
    tolerance = 2e-7 if dtype == torch.float64 else 2e-5
    expected = synthetic(mixer, query, negatives, plan)
    assert leaf.grad is not None and not features.requires_grad
    for b in range(batch):
        gradient = torch.zeros(16, dtype=torch.float64)
        for s in range(num):
            h = expected[b][s]
            torch.testing.assert_close(features[b, s].double(), h, rtol=0, atol=tolerance)
            assert float(logits[b, s]) == pytest.approx(dot(query[b], h), abs=tolerance)
            gradient += weight[b, s].double() * h
        torch.testing.assert_close(leaf.grad[b].double(), gradient, rtol=0, atol=tolerance * num)


@pytest.mark.parametrize('kind', MIXERS)
def test_plans_repeat_and_stay_within_the_usable_ones(kind: Callable) -> None:
    mixer = kind(400)
    _, negatives = make(3, 6)
    count = torch.tensor([1, 4, 0])
    usable = HardNegatives(negatives.bank, negatives.index, negatives.similarity, count)
    plan, again = drawn(mixer, usable), drawn(mixer, usable)
    assert torch.equal(plan.first, again.first) and torch.equal(plan.weight, again.weight)
    assert plan.first[0].max() == 0 and set(plan.first[1].tolist()) == {0, 1, 2, 3}
    if plan.noise is not None and again.noise is not None:
        assert torch.equal(plan.noise, again.noise)


def test_extrapolation_lies_beyond_the_negative() -> None:
    mixer = Extrapolation(2000, max_reach=1.5)
    query, negatives = make(2, 6)
    plan = drawn(mixer, negatives)
    reach = 1 - plan.weight
    assert 1 <= float(reach.min()) < 1.01 and 1.49 < float(reach.max()) <= 1.5
    parents = negatives.similarity.gather(1, plan.first)
    assert (mixer.cosines(query, negatives, plan) <= parents + 1e-9).all()


@pytest.mark.parametrize('kind', [GradientStep, SignStep])
def test_steps_make_every_negative_harder(kind: Callable) -> None:
    mixer = kind(50, step=0.1)
    query, negatives = make(5, 10)
    plan = drawn(mixer, negatives)
    parents = negatives.similarity.gather(1, plan.first)
    assert (mixer.cosines(query, negatives, plan) > parents).all()


def test_noise_has_the_stated_deviation() -> None:
    _, negatives = make(2, 3)
    noise = drawn(NoiseInjection(4000, std=0.05), negatives).noise
    assert noise is not None and noise.shape == (4000, 16)
    assert float(noise.std()) == pytest.approx(0.05, rel=0.02)
    assert float(noise.mean()) == pytest.approx(0, abs=0.001)


@pytest.mark.parametrize(
    ('kind', 'name', 'value'),
    [
        (Extrapolation, 'max_reach', 1.0),
        (GradientStep, 'step', 0.0),
        (NoiseInjection, 'std', -1.0),
        (SignStep, 'step', 0.0),
    ],
)
def test_bad_settings(kind: Callable, name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f'{name} is {value}; expected a number above'):
        kind(3, **{name: value})


def test_a_worked_example() -> None:
    """One negative of each of the six types in two dimensions, worked out apart from this code."""
    query = torch.tensor([[0.96, 0.28]], dtype=torch.float64)
    bank = torch.tensor([[0.8, 0.6], [0.6, -0.8], [0, 1], [-0.6, 0.8]], dtype=torch.float64)
    similarity, index = (query @ bank.T).topk(2, dim=1)
    hard = HardNegatives(bank, index, similarity)
    first, second = torch.tensor([[0]]), torch.tensor([[1]])

    def plan(weight: float, **others: torch.Tensor) -> Plan:
        return Plan(first, torch.tensor([[weight]], dtype=torch.float64), **others)

    noise = torch.tensor([[0.01, -0.02]], dtype=torch.float64)
    plans = [
        (QueryMixing(1), plan(0.25)),
        (Extrapolation(1), plan(1 - 1.25)),
        (PairMixing(1), plan(0.5, second=second)),
        (NoiseInjection(1), plan(1, noise=noise)),
        (GradientStep(1), plan(0.01 / 1.01)),
        (SignStep(1), plan(1)),
    ]
    got = torch.cat([mixer.cosines(query, hard, drawn) for mixer, drawn in plans], dim=1)
    expected = [0.963634, 0.902134, 0.910754, 0.943545, 0.937222, 0.935304]
    assert got[0].tolist() == pytest.approx(expected, abs=1e-6)
    key = torch.tensor([0.96], dtype=torch.float64)
    rows = query @ bank.T
    losses = [info_nce(key, blocks, 0.2).item() for blocks in ([rows], [rows, got])]
    assert losses == pytest.approx([0.677802, 1.976245], abs=2e-6)
