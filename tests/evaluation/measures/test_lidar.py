"""LiDAR against a loop in float64 and against worked values."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from mochi_mm.evaluation.measures import effective_rank, lidar
from mochi_mm.evaluation.measures.lidar import scatter

# Two views of each of three images, worked by hand from the definition.
VIEWS = [[(1, 0), (0.96, 0.28)], [(0.6, 0.8), (0.8, 0.6)], [(-0.6, 0.8), (0, 1)]]


def loop(views: np.ndarray, delta: float) -> float:
    images, number, width = views.shape
    views = views / math.sqrt(
        sum(float(x @ x) for x in views.reshape(-1, width)) / views[..., 0].size
    )
    means = [sum(views[i, j] for j in range(number)) / number for i in range(images)]
    middle = sum(means) / images
    between, within = np.zeros((width, width)), delta * np.eye(width)
    for i in range(images):
        between += np.outer(means[i] - middle, means[i] - middle) / (images - 1)
        for j in range(number):
            away = views[i, j] - means[i]
            within += np.outer(away, away) / (images * (number - 1))
    # The eigenvalues of S_w^-1 S_b are those of S_w^-1/2 S_b S_w^-1/2.
    values = np.linalg.eigvals(np.linalg.inv(within) @ between).real.clip(0)
    shares = [value / values.sum() for value in values]
    return math.exp(-sum(share * math.log(share) for share in shares if share > 0))


@pytest.mark.parametrize('shape', [(2, 2, 1), (3, 2, 2), (4, 3, 5), (7, 2, 3), (9, 5, 4)])
def test_against_the_loop(shape: tuple[int, int, int]) -> None:
    views = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert lidar(views, 0.01) == pytest.approx(loop(views.numpy(), 0.01), rel=1e-9)


@pytest.mark.parametrize(('delta', 'wanted'), [(1e-4, 1.213967), (0.1, 1.257248)])
def test_worked_values(delta: float, wanted: float) -> None:
    assert lidar(torch.tensor(VIEWS), delta) == pytest.approx(wanted, abs=6e-7)


def test_worked_eigenvalues() -> None:
    """The sum that divides the eigenvalues hides a wrong factor on the covariance of the means."""
    between, within = scatter(torch.tensor(VIEWS, dtype=torch.float64))
    values = torch.linalg.eigvals(torch.linalg.inv(within + 1e-4 * torch.eye(2)) @ between).real
    assert sorted(values.tolist()) == pytest.approx([0.809377, 15.899735], abs=6e-7)


def test_the_scale_of_the_embedding_does_not_matter() -> None:
    views = torch.tensor(VIEWS, dtype=torch.float64)
    assert lidar(1e-3 * views) == pytest.approx(lidar(views), rel=1e-12)


def test_identical_views_leave_the_rank_of_the_means() -> None:
    views = torch.tensor(VIEWS, dtype=torch.float64)[:, :1].expand(-1, 2, -1)
    values = torch.linalg.eigvalsh(views[:, 0].T.cov()).clamp_min(0)
    assert lidar(views) == pytest.approx(effective_rank(values, eps=0.0), rel=1e-12)


@pytest.mark.parametrize(
    ('views', 'message'),
    [
        (torch.ones(4, 3), 'views of shape'),
        (torch.ones(4, 1, 3), 'at least two images and two views'),
        (torch.ones(4, 2, 3), 'means of all images are equal'),
        (torch.zeros(4, 2, 3), 'all embeddings are 0'),
        (torch.full((4, 2, 3), torch.nan), 'not finite'),
    ],
)
def test_bad_input(views: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lidar(views)
    with pytest.raises(ValueError, match='delta is 0'):
        lidar(torch.tensor(VIEWS), 0)
