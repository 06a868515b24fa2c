"""GaussianBlur: PIL's filter at the drawn radius, close to the true Gaussian."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import ImageFilter
from torchvision.transforms import functional as F

from mochi_mm.datasets.transforms import GaussianBlur


def test_pixels_at_the_drawn_radius(picture) -> None:
    transform = GaussianBlur((0.1, 2.0), prob=1.0)
    for seed in range(10):
        out = transform(dict(img=picture, rng=np.random.default_rng(seed)))['img']
        radius = 0.1 + 1.9 * np.random.default_rng(seed).random(2)[1].item()
        expected = picture.filter(ImageFilter.GaussianBlur(radius=radius))
        assert np.array_equal(np.asarray(out), np.asarray(expected))


@pytest.mark.parametrize('sigma', [1.0, 1.5, 2.0])
def test_radius_is_the_standard_deviation(picture, sigma) -> None:
    out = GaussianBlur((sigma, sigma), prob=1.0)(dict(img=picture, rng=np.random.default_rng(0)))[
        'img'
    ]
    inner = np.s_[8:-8, 8:-8]

    def gap(truth: float) -> float:
        exact = np.asarray(F.gaussian_blur(picture, [17, 17], [truth, truth]), dtype=float)
        return np.abs(np.asarray(out, dtype=float) - exact)[inner].mean()

    assert gap(sigma) < 0.5
    assert gap(sigma) < min(gap(0.7 * sigma), gap(1.4 * sigma)) / 2


def test_prob(picture) -> None:
    small = picture.resize((4, 4))
    rng, changed = np.random.default_rng(2), []
    for _ in range(1000):
        changed.append(GaussianBlur()(dict(img=small, rng=rng))['img'] is not small)
    assert abs(np.mean(changed) - 0.5) < 0.04
    rng = np.random.default_rng(0)
    assert GaussianBlur(prob=0)(dict(img=small, rng=rng))['img'] is small


@pytest.mark.parametrize(
    'arguments',
    [
        dict(sigma=(2.0, 0.1)),
        dict(sigma=(-1, 1)),
        dict(sigma=1.0),
        dict(prob=-0.1),
        dict(prob='half'),
    ],
)
def test_bad_arguments(arguments) -> None:
    with pytest.raises(ValueError, match='|'.join(arguments)):
        GaussianBlur(**arguments)
