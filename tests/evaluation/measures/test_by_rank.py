"""Bins of ranks, and the mass of synthetic negatives at the ranks of their parents."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.evaluation.measures import mass_of_parents, rank_bins
from mochi_mm.structures import Plan


@pytest.mark.parametrize('count', [1, 2, 4, 5, 16, 17, 256, 300])
def test_every_rank_is_in_one_bin(count: int) -> None:
    bins = rank_bins(count)
    ranks = list(range(count))
    assert [rank for columns in bins.values() for rank in ranks[columns]] == ranks
    for name, columns in bins.items():
        first, _, last = name.partition('_')
        assert (int(first), int(last or first)) == (columns.start + 1, columns.stop)
    assert rank_bins(0) == {}


@pytest.mark.parametrize('paired', [False, True])
def test_mass_one_by_one(paired: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = torch.randint(0, 5, (2, 3, 7), generator=generator)
    mass = torch.rand(3, 7, dtype=torch.float64, generator=generator)
    plan = Plan(first=first, weight=torch.rand(3, 7), second=second if paired else None)
    wanted = [0.0] * 5
    for b in range(3):
        for s in range(7):
            for parent in (first, second) if paired else (first,):
                wanted[int(parent[b, s])] += float(mass[b, s]) / (2 if paired else 1)
    found = mass_of_parents(plan, mass, 5)
    assert found.tolist() == pytest.approx(wanted)
    assert float(found.sum()) == pytest.approx(float(mass.sum()))
