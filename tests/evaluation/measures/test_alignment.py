"""Alignment against a loop over pairs in float64, at sizes around the chunk."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mochi_mm.evaluation.measures import class_alignment, pair_alignment
from tests.reference import unit


def distance(x: Tensor, y: Tensor) -> float:
    return math.sqrt(sum((float(a) - float(b)) ** 2 for a, b in zip(unit(x), unit(y), strict=True)))


def drawn(rows: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(rows, 5, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize('alpha', [2.0, 1.0, 0.5, 3])
@pytest.mark.parametrize('rows', [1, 7])
def test_pairs(alpha: float, rows: int) -> None:
    x, y = drawn(rows), drawn(rows, 1)
    wanted = sum(distance(a, b) ** alpha for a, b in zip(x, y, strict=True)) / rows
    assert pair_alignment(x, y, alpha) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize('alpha', [2.0, 1.0, 3])
@pytest.mark.parametrize('chunk', [1, 3, 4, 5, 1024])
def test_classes(alpha: float, chunk: int) -> None:
    features = drawn(13)
    labels = torch.tensor([4, 0, 4, 0, 2, 2, 4, 4, 0, 4, 2, 0, 4])
    pairs = [
        distance(features[i], features[j]) ** alpha
        for i in range(13)
        for j in range(i)
        if labels[i] == labels[j]
    ]
    found = class_alignment(features, labels, alpha, chunk)
    assert found == pytest.approx(sum(pairs) / len(pairs), rel=1e-9)
    assert class_alignment(features.float(), labels, alpha, chunk) == pytest.approx(found, rel=1e-5)


@pytest.mark.parametrize('scale', [1e-30, 1e20])
def test_length_does_not_matter(scale: float) -> None:
    x, y = torch.randn(2, 6, 5, generator=torch.Generator().manual_seed(0))
    assert pair_alignment(x * scale, y) == pytest.approx(pair_alignment(x, y), rel=1e-5)
    classes = torch.tensor([0, 0, 0, 1, 1, 1])
    expected = class_alignment(x, classes)
    assert class_alignment(x * scale, classes) == pytest.approx(expected, rel=1e-5)


def test_equal_points_are_perfectly_aligned() -> None:
    same = torch.ones(4, 3) * torch.tensor([[1.0], [2], [3], [4]])
    assert pair_alignment(same[:2], same[2:]) == pytest.approx(0, abs=1e-12)
    assert class_alignment(same, torch.zeros(4, dtype=torch.int64)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ('labels', 'message'),
    [
        ([0, 0, 3, 1, 1], 'the class 3 has one image'),
        ([0, 0, -1, 1, 1], '1 of 5 samples have no label'),
        ([0, 0, 1, 1], 'labels for 5 samples'),
    ],
)
def test_labels_that_give_no_pairs(labels: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        class_alignment(drawn(5), torch.tensor(labels))


def test_bad_input() -> None:
    with pytest.raises(ValueError, match='alpha is 0'):
        pair_alignment(drawn(2), drawn(2), 0)
    with pytest.raises(ValueError, match='expected equal'):
        pair_alignment(drawn(2), drawn(3))
    with pytest.raises(ValueError, match='not finite'):
        pair_alignment(drawn(2), drawn(2) * torch.nan)
