"""RandomCrop: the padded image, every place, and sizes that do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from mochi_mm.datasets.transforms import RandomCrop

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 4, 3), dtype=np.uint8)
IMAGE = Image.fromarray(PIXELS)


def test_it_is_a_part_of_the_padded_image() -> None:
    padded = np.pad(PIXELS, ((2, 2), (2, 2), (0, 0)), constant_values=9)
    crop = RandomCrop((5, 4), padding=2, fill=9)
    places = {
        (top, left): padded[top : top + 5, left : left + 4] for top in range(5) for left in range(5)
    }
    seen = []
    rng, draws = np.random.default_rng(1), np.random.default_rng(1)
    for _ in range(300):
        out = np.asarray(crop(dict(img=IMAGE, rng=rng))['img'])
        place = (int(draws.integers(5)), int(draws.integers(5)))
        assert np.array_equal(out, places[place])
        seen.append(place)
    assert set(seen) == set(places)


def test_without_padding_of_its_own_size_it_is_the_image() -> None:
    out = RandomCrop((5, 4))(dict(img=IMAGE, rng=np.random.default_rng(0)))['img']
    assert np.array_equal(np.asarray(out), PIXELS)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(size=0), 'size'),
        (dict(size=4, padding=-1), 'padding is -1; expected pixels'),
        (dict(size=4, fill=300), 'fill'),
    ],
)
def test_settings_that_are_none(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RandomCrop(**settings)


def test_an_image_that_is_too_small() -> None:
    with pytest.raises(ValueError, match='an image of 6 x 7 with padding=1 holds no crop of 9 x 9'):
        RandomCrop(9, padding=1)(dict(img=IMAGE, rng=np.random.default_rng(0)))
