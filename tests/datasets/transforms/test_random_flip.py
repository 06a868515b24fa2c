"""RandomFlip: the mirror image, at the drawn rate."""

from __future__ import annotations

import numpy as np
import pytest

from mochi_mm.datasets.transforms import RandomFlip


def test_mirrors_left_to_right(picture) -> None:
    out = RandomFlip(prob=1.0)(dict(img=picture, rng=np.random.default_rng(0)))['img']
    assert np.array_equal(np.asarray(out), np.asarray(picture)[:, ::-1])


def test_draws_decide(picture) -> None:
    rng, transform = np.random.default_rng(7), RandomFlip(prob=0.3)
    flipped = [transform(dict(img=picture, rng=rng))['img'] is not picture for _ in range(500)]
    assert flipped == (np.random.default_rng(7).random(500) < 0.3).tolist()


@pytest.mark.parametrize('prob', [-0.1, 1.01, None])
def test_bad_prob(prob) -> None:
    with pytest.raises(ValueError, match='prob'):
        RandomFlip(prob)
