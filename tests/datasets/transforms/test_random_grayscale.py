"""RandomGrayscale: torchvision's gray in three channels, at the drawn rate."""

from __future__ import annotations

import numpy as np
import pytest
from torchvision.transforms import functional as F

from mochi_mm.datasets.transforms import RandomGrayscale


def test_three_equal_channels_of_luma(picture) -> None:
    out = RandomGrayscale(prob=1.0)(dict(img=picture, rng=np.random.default_rng(0)))['img']
    assert out.mode == 'RGB'
    assert np.array_equal(np.asarray(out), np.asarray(F.rgb_to_grayscale(picture, 3)))
    luma = np.asarray(picture, dtype=float) @ [0.299, 0.587, 0.114]
    assert np.abs(np.asarray(out, dtype=float) - luma[..., None]).max() <= 1


def test_draws_decide(picture) -> None:
    rng, transform = np.random.default_rng(7), RandomGrayscale()
    gray = [transform(dict(img=picture, rng=rng))['img'] is not picture for _ in range(500)]
    assert gray == (np.random.default_rng(7).random(500) < 0.2).tolist()


def test_bad_prob() -> None:
    with pytest.raises(ValueError, match=r'prob.*2'):
        RandomGrayscale(2)
