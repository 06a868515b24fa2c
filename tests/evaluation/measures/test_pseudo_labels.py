"""Rightness and change of pseudo-labels against loops over all images and pairs."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations

import pytest
import torch

from mochi_mm.evaluation.measures.pseudo_labels import changed_share, pair_precision_recall


def drawn(size: int, least: int, most: int, seed: int) -> torch.Tensor:
    return torch.randint(least, most, (size,), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(('size', 'seed'), [(2, 0), (17, 1), (60, 2)])
def test_precision_and_recall_equal_the_loop(size: int, seed: int) -> None:
    labels, classes = drawn(size, -1, 4, seed), drawn(size, -1, 3, seed + 50)
    known = [(int(a), int(c)) for a, c in zip(labels, classes, strict=True) if c >= 0]
    marked = [(a, b) for a, b in combinations(known, 2) if a[0] == b[0] and a[0] >= 0]
    same = [(a, b) for a, b in combinations(known, 2) if a[1] == b[1]]
    right = sum(a[1] == b[1] for a, b in marked)
    precision, recall = pair_precision_recall(labels, classes)
    assert precision == pytest.approx(right / len(marked)) if marked else math.isnan(precision)
    assert recall == pytest.approx(right / len(same)) if same else math.isnan(recall)


@pytest.mark.parametrize(('size', 'seed'), [(1, 0), (17, 1), (60, 2)])
def test_change_equals_the_loop(size: int, seed: int) -> None:
    before, after = drawn(size, -1, 4, seed), drawn(size, -1, 5, seed + 9)
    pairs = [p for p in zip(before.tolist(), after.tolist(), strict=True) if min(p) >= 0]
    stayed = sum(
        max(Counter(b for b, a in pairs if a == cluster).values())
        for cluster in {a for _, a in pairs}
    )
    share = changed_share(before, after)
    assert share == pytest.approx(1 - stayed / len(pairs)) if pairs else math.isnan(share)


def test_other_numbers_of_the_same_clusters_are_no_change() -> None:
    before = torch.tensor([0, 0, 1, 2, 2])
    assert changed_share(before, torch.tensor([4, 4, 0, 1, 1])) == 0
    assert math.isnan(changed_share(torch.full((5,), -1), before))
