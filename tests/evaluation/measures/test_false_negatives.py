"""False negatives among hard and synthetic negatives, counted one by one."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.evaluation.measures import (
    same_known_class,
    share_of_false,
    synthetic_false_negatives,
)
from mochi_mm.structures import Plan

LABELS = torch.tensor([0, 1, -1])
OTHERS = torch.tensor([[0, 1, 0, -1], [1, 1, 0, -1], [0, -1, 1, 1]])


def test_same_class_needs_both_classes() -> None:
    same, known = same_known_class(LABELS, OTHERS)
    for b in range(3):
        for n in range(4):
            both = bool(LABELS[b] >= 0) and bool(OTHERS[b, n] >= 0)
            assert bool(known[b, n]) == both
            assert bool(same[b, n]) == (both and bool(LABELS[b] == OTHERS[b, n]))
    assert share_of_false(same, known) == (4.0, 6.0)


@pytest.mark.parametrize('paired', [False, True])
def test_parents_one_by_one(paired: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = torch.randint(0, 4, (2, 3, 50), generator=generator)
    same, known = same_known_class(LABELS, OTHERS)
    plan = Plan(first=first, weight=torch.rand(3, 50), second=second if paired else None)
    wanted = dict(both=0, one=0, only=0)
    counted = 0
    for b in range(3):
        for s in range(50):
            parents = [first[b, s], second[b, s]] if paired else [first[b, s]]
            if not all(bool(known[b, n]) for n in parents):
                continue
            counted += 1
            false = sum(bool(same[b, n]) for n in parents)
            if not paired:
                wanted['only'] += false
            elif false:
                wanted['both' if false == 2 else 'one'] += 1
    found, total = synthetic_false_negatives(plan, same, known)
    names = ('both', 'one') if paired else ('only',)
    assert found == {name: wanted[name] for name in names}
    assert total == counted and 0 < counted < 150
