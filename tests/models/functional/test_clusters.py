"""Pseudo-labels from centroids: worked values, the loop, ties."""

from __future__ import annotations

import math

import pytest
import torch

from mochi_mm.models.functional.clusters import most_confident, nearest_centroids
from tests.reference import dot, random_units

FEATURES = [(1.0, 0.0), (0.8, 0.6), (0.6, 0.8), (0.0, 1.0), (-0.6, 0.8), (0.96, 0.28)]


def test_worked_confidences_and_labels() -> None:
    labels, confidence = nearest_centroids(torch.tensor(FEATURES), torch.eye(2), 0.1)
    expected = [0.999955, 0.880797, 0.880797, 0.999955, 0.999999, 0.998887]
    assert confidence.tolist() == pytest.approx(expected, abs=1e-6)
    assert labels.tolist() == [0, 0, 1, 1, 1, 0]
    taken = most_confident(confidence, 2 / 3)
    assert torch.where(taken, labels, -1).tolist() == [0, -1, -1, 1, 1, 0]


@pytest.mark.parametrize(('n', 'k', 'chunk'), [(1, 2, 1), (7, 3, 3), (9, 9, 4), (8, 5, 8192)])
def test_equals_the_loop(n: int, k: int, chunk: int) -> None:
    rows, centroids = random_units(n, 5, n).float(), random_units(k, 5, 99).float()
    labels, confidence = nearest_centroids(rows, centroids, 0.3, chunk)
    for i in range(n):
        cosines = [dot(rows[i].double(), c.double()) for c in centroids]
        total = sum(math.exp(c / 0.3) for c in cosines)
        assert int(labels[i]) == cosines.index(max(cosines))
        assert float(confidence[i]) == pytest.approx(math.exp(max(cosines) / 0.3) / total, abs=1e-6)


@pytest.mark.parametrize(('share', 'count'), [(0, 0), (0.1, 0), (0.5, 2), (1, 5)])
def test_of_equal_ones_the_first_are_accepted(share: float, count: int) -> None:
    taken = most_confident(torch.ones(5), share)
    assert taken.tolist() == [True] * count + [False] * (5 - count)
