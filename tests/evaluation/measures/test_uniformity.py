"""Uniformity against a loop over pairs in float64, at sizes around the chunk."""

from __future__ import annotations

import math

import pytest
import torch

from mochi_mm.evaluation.measures import uniformity
from tests.reference import dot, unit


@pytest.mark.parametrize('t', [2.0, 0.5, 5])
@pytest.mark.parametrize('rows', [2, 3, 4, 5, 9])
def test_against_the_loop(t: float, rows: int) -> None:
    generator = torch.Generator().manual_seed(rows)
    features = 2 * torch.randn(rows, 6, generator=generator, dtype=torch.float64)
    total, pairs = 0.0, 0
    for i in range(rows):
        for j in range(i):
            difference = unit(features[i]) - unit(features[j])
            total += math.exp(-t * dot(difference, difference))
            pairs += 1
    for chunk in (1, 4, 1024):
        assert uniformity(features, t, chunk) == pytest.approx(math.log(total / pairs), abs=2e-6)


@pytest.mark.parametrize('scale', [1e-30, 1e20])
def test_length_does_not_matter(scale: float) -> None:
    features = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))
    assert uniformity(features * scale) == pytest.approx(uniformity(features), rel=1e-5)


def test_extremes() -> None:
    assert uniformity(torch.ones(5, 3)) == pytest.approx(0.0, abs=1e-6)
    opposite = torch.tensor([[1.0, 0], [-1, 0]])
    assert uniformity(opposite, t=2.0) == pytest.approx(-8.0)  # the only pair is 2 apart


@pytest.mark.parametrize('chunk', [1, 3, 1024])
@pytest.mark.parametrize('zero', [1, 3, 5])
def test_features_of_length_zero_coincide(zero: int, chunk: int) -> None:
    """A dead network is no uniform one: pairs of zeros are 0 apart, a zero is 1 from others."""
    features = torch.randn(5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    features[:zero] = 0
    rows = [row if i < zero else unit(row) for i, row in enumerate(features)]
    near = [dot(rows[i] - rows[j], rows[i] - rows[j]) for i in range(5) for j in range(i)]
    wanted = math.log(sum(math.exp(-2 * distance) for distance in near) / 10)
    assert uniformity(features, 2.0, chunk) == pytest.approx(wanted, abs=2e-6)
    assert (wanted == 0) == (zero == 5)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match='at least 2 samples'):
        uniformity(torch.ones(1, 3))
    with pytest.raises(ValueError, match='t is -1'):
        uniformity(torch.ones(3, 3), t=-1)
    with pytest.raises(ValueError, match='not finite'):
        uniformity(torch.full((3, 3), torch.nan))
