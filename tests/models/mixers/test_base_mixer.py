"""What every mixer offers: positions that are drawn, and a number that is checked."""

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
from tests.models.mixers.toy import make

KINDS: list[Callable[..., BaseMixer]] = [
    PairMixing, QueryMixing, Extrapolation, GradientStep, NoiseInjection, SignStep,
]  # fmt: skip


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('num', [0, -1, 2.5, True])
def test_bad_num(kind: Callable[..., BaseMixer], num: float) -> None:
    with pytest.raises(ValueError, match=f'num is {num}.*expected an integer >= 1'):
        kind(num)


@pytest.mark.parametrize('kind', KINDS)
def test_any_number_of_hard_negatives_will_do(kind: Callable[..., BaseMixer]) -> None:
    mixer = kind(3)
    mixer.check_num_hard(1)
    assert 'num=3' in repr(mixer)


@pytest.mark.parametrize('below', [0, 1, 2])
def test_positions_are_uniform_over_the_usable_ones(below: int) -> None:
    mixer = PairMixing(3000)
    _, negatives = make(2, 6)
    count = torch.tensor([6, 3])
    hard = HardNegatives(negatives.bank, negatives.index, negatives.similarity, count)
    positions = mixer.draw_positions(hard, torch.Generator().manual_seed(0), below)
    for row, usable in zip(positions, count.tolist(), strict=True):
        share = torch.bincount(row, minlength=usable - below).double() / 3000
        expected = torch.full((usable - below,), 1 / (usable - below), dtype=torch.float64)
        # Within five standard errors.
        torch.testing.assert_close(share, expected, rtol=0, atol=5 * 0.5 / 3000**0.5)


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
