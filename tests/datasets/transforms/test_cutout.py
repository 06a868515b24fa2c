"""Cutout: the square where it was drawn, cut at the edges, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from mochi_mm.datasets.transforms import Cutout

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)


@pytest.mark.parametrize('length', [1, 4, 5, 30])
def test_the_square_and_nothing_else(length: int) -> None:
    image = Image.fromarray(PIXELS)
    rng, draws = np.random.default_rng(2), np.random.default_rng(2)
    for _ in range(40):
        out = np.asarray(Cutout(length, fill=7)(dict(img=image, rng=rng))['img'])
        row, column = int(draws.integers(9)), int(draws.integers(7))
        for y in range(9):
            for x in range(7):
                inside = all(
                    0 <= place - (center - length // 2) < length
                    for place, center in ((y, row), (x, column))
                )
                assert out[y, x].tolist() == ([7] * 3 if inside else PIXELS[y, x].tolist())
    assert np.array_equal(np.asarray(image), PIXELS)  # a copy has the hole


@pytest.mark.parametrize(
    ('settings', 'message'), [(dict(length=0), 'length is 0'), (dict(fill=-1), 'fill')]
)
def test_settings_that_are_none(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Cutout(**settings)
