"""RandomSolarize: bright levels inverted, at the drawn rate."""

from __future__ import annotations

import numpy as np
import pytest

from mochi_mm.datasets.transforms import RandomSolarize


@pytest.mark.parametrize('threshold', [0, 100, 128, 255])
def test_inverts_bright_levels(picture, threshold: int) -> None:
    transform = RandomSolarize(1.0, threshold)
    out = np.asarray(transform(dict(img=picture, rng=np.random.default_rng(0)))['img'])
    before = np.asarray(picture)
    assert np.array_equal(out, np.where(before >= threshold, 255 - before, before))


def test_draws_decide(picture) -> None:
    rng, transform = np.random.default_rng(7), RandomSolarize()
    changed = [transform(dict(img=picture, rng=rng))['img'] is not picture for _ in range(500)]
    assert changed == (np.random.default_rng(7).random(500) < 0.2).tolist()


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match=r'prob.*2'):
        RandomSolarize(2)
    with pytest.raises(ValueError, match='gray level from 0 to 255, got 256'):
        RandomSolarize(0.2, 256)
