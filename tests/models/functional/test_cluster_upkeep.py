"""Centroids, merging, refilling and halving against loops, and where nothing can be done."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.models.functional.cluster_upkeep import (
    cluster_means,
    merge_small,
    refill_empty,
    two_means,
)
from tests.reference import dot, random_units, unit

LABELS = torch.tensor([0, 0, 0, 0, 0, 0, 1, 1, 2, -1, 0, 1])


def rows() -> torch.Tensor:
    return random_units(12, 5, 3).float()


def test_means_equal_the_loop() -> None:
    old = random_units(4, 5, 8).float()
    means = cluster_means(rows(), LABELS, old)
    for c in range(3):
        members = [r.double() for r, label in zip(rows(), LABELS, strict=True) if label == c]
        expected = unit(torch.stack(members).sum(0))
        torch.testing.assert_close(means[c].double(), expected, atol=1e-6, rtol=1e-6)
    assert torch.equal(means[3], old[3])
    opposite = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    kept = cluster_means(opposite, torch.tensor([0, 0]), torch.tensor([[0.0, 1.0]]))
    assert kept.tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize('min_size', [1, 2, 3, 4])
def test_small_clusters_go_to_the_nearest_large_one(min_size: int) -> None:
    centroids = random_units(4, 5, 9).float()
    sizes = [7, 3, 1, 0]
    large = [c for c in range(4) if sizes[c] >= min_size]
    merged = merge_small(rows(), LABELS, centroids, min_size)
    for i, label in enumerate(LABELS.tolist()):
        if label < 0 or label in large:
            assert int(merged[i]) == label
        else:
            cosines = {c: dot(rows()[i].double(), centroids[c].double()) for c in large}
            assert int(merged[i]) == max(cosines, key=lambda c: cosines[c])


def test_where_all_are_small_the_largest_stays() -> None:
    merged = merge_small(rows(), LABELS, random_units(4, 5, 9).float(), 100)
    assert torch.equal(merged, torch.where(LABELS < 0, -1, 0))


def test_empty_clusters_take_halves_of_the_largest() -> None:
    groups = torch.eye(5)[torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 2, 2])]
    labels = torch.tensor([0] * 6 + [1] * 4)
    filled = refill_empty(groups, labels, 4, 2, torch.Generator().manual_seed(0))
    assert len(set(filled[:3].tolist())) == len(set(filled[3:6].tolist())) == 1
    assert set(filled.tolist()) == {0, 1, 2, 3}  # the four alike are halved in their order
    assert filled[6:8].tolist() == [1, 1] and filled[8:].tolist() == [3, 3]
    again = refill_empty(groups, labels, 4, 2, torch.Generator().manual_seed(0))
    assert torch.equal(again, filled)


def test_what_is_too_small_to_be_halved_leaves_others_empty() -> None:
    filled = refill_empty(rows(), LABELS, 6, 4, torch.Generator().manual_seed(0))
    assert torch.equal(filled, LABELS)


@pytest.mark.parametrize('size', [2, 3, 9])
def test_no_half_is_empty(size: int) -> None:
    generator = torch.Generator().manual_seed(1)
    for values in (torch.eye(9)[:1].expand(size, 9), random_units(size, 9, size).float()):
        half = two_means(values, generator)
        assert 0 < int(half.sum()) < size
