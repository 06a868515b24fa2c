"""RankMe against its definition, and the singular values of blocks against those of the whole."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from mochi_mm.evaluation.measures import effective_rank, singular_values


@pytest.mark.parametrize('shape', [(1, 4), (3, 5), (5, 5), (11, 4), (20, 3)])
@pytest.mark.parametrize('chunk', [1, 4, 5, 4096])
def test_singular_values(shape: tuple[int, int], chunk: int) -> None:
    features = torch.randn(shape, generator=torch.Generator().manual_seed(shape[0]))
    wanted = np.linalg.svd(features.double().numpy(), compute_uv=False)
    found = singular_values(features, chunk)
    assert found.dtype == torch.float64
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-10, atol=1e-12)


def test_against_the_loop() -> None:
    values = [7.0, 2.5, 0.5, 0.0]
    entropy = 0.0
    for value in values:
        share = value / sum(values) + 1e-7
        entropy -= share * math.log(share)
    assert effective_rank(torch.tensor(values, dtype=torch.float64)) == pytest.approx(
        math.exp(entropy), rel=1e-12
    )


def test_known_ranks() -> None:
    assert effective_rank(singular_values(3 * torch.eye(6))) == pytest.approx(6, rel=1e-4)
    one = torch.ones(8, 1) @ torch.tensor([[1.0, 2, 3]])
    assert effective_rank(singular_values(one)) == pytest.approx(1, rel=1e-4)


def test_worked_values() -> None:
    rows = [(1, 0), (0.8, 0.6), (0.6, 0.8), (0, 1), (0.96, 0.28), (-0.6, 0.8)]
    features = torch.tensor(rows, dtype=torch.float64)
    values = singular_values(features)
    assert values.tolist() == pytest.approx([1.949359, 1.483240], abs=6e-7)
    assert effective_rank(values) == pytest.approx(1.981589, abs=6e-7)
    assert effective_rank(values, 1e-5) == pytest.approx(1.981577, abs=6e-7)
    centered = singular_values(features - features.mean(dim=0))
    assert effective_rank(centered) == pytest.approx(1.761689, abs=6e-7)
    live = torch.tensor([1.0, 1.0] + [0.0] * 2046, dtype=torch.float64)
    assert effective_rank(live) == pytest.approx(2.006606, abs=6e-7)
    assert effective_rank(live, eps=0.0) == pytest.approx(2.0, rel=1e-12)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match='all singular values are 0'):
        effective_rank(singular_values(torch.zeros(4, 3)))
    with pytest.raises(ValueError, match='not finite'):
        singular_values(torch.full((4, 3), torch.inf))
