"""The exponent of a spectrum against a loop and worked values."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from mochi_mm.evaluation.measures import spectrum_decay
from mochi_mm.evaluation.measures.spectrum_decay import decay_of


def loop(variances: list[float], first: int, last: int) -> float:
    points = [(math.log(j), math.log(variances[j - 1])) for j in range(first, last + 1)]
    x = sum(p for p, _ in points) / len(points)
    y = sum(p for _, p in points) / len(points)
    return -sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)


def test_a_power_law_gives_its_exponent() -> None:
    ranks = torch.arange(1, 129, dtype=torch.float64)
    assert decay_of(ranks**-1.2) == pytest.approx(1.2, abs=1e-9)


def test_worked_value() -> None:
    ranks = torch.arange(1, 129, dtype=torch.float64)
    bent = torch.where(ranks <= 20, 1 / ranks, 20**0.5 * ranks**-1.5)  # exponent 1, then 1.5
    assert decay_of(bent) == pytest.approx(1.360999, abs=6e-7)


@pytest.mark.parametrize('ranks', [(1, 2), (1, 5), (3, 7), (11, 50)])
def test_features_against_the_loop(ranks: tuple[int, int]) -> None:
    features = torch.randn(70, 55, generator=torch.Generator().manual_seed(0)) + 3
    variances = np.linalg.eigvalsh(np.cov(features.double().numpy().T))[::-1].tolist()
    assert spectrum_decay(features, ranks) == pytest.approx(loop(variances, *ranks), rel=1e-8)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match='3 variances of the features are above zero'):
        spectrum_decay(torch.randn(4, 60, generator=torch.Generator().manual_seed(0)))
    with pytest.raises(ValueError, match='ranks is'):
        decay_of(torch.ones(60), (5, 5))
