"""Random erasing: where and how much, with what, keyed by the sample, what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mochi_mm.datasets.transforms import RandomErasing

GRAY = Image.new('RGB', (40, 30), (7, 7, 7))


def erased(erase: RandomErasing, image: Image.Image, seed: int = 0) -> np.ndarray:
    return np.asarray(erase(dict(img=image, rng=np.random.default_rng(seed)))['img'])


def box_of(pixels: np.ndarray) -> tuple[int, int, int, int]:
    """Top, left, height and width of what is not as it was, which must be a full rectangle."""
    changed = (pixels != 7).any(axis=-1)
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    top, left, height, width = rows[0], columns[0], len(rows), len(columns)
    assert changed[top : top + height, left : left + width].all()
    assert changed.sum() == height * width
    return int(top), int(left), height, width


def test_area_and_ratio_stay_in_their_bounds_and_reach_all_places() -> None:
    erase = RandomErasing(1.0, area=(0.05, 0.3), ratio=(0.5, 2.0), fill=200)
    boxes = [box_of(erased(erase, GRAY, seed)) for seed in range(400)]
    areas = [height * width / 1200 for _, _, height, width in boxes]
    ratios = [height / width for _, _, height, width in boxes]
    assert 0.04 < min(areas) < 0.07 and 0.28 < max(areas) < 0.32
    assert 0.4 < min(ratios) < 0.55 and 1.8 < max(ratios) < 2.4
    assert min(top for top, *_ in boxes) == 0 and max(t + h for t, _, h, _ in boxes) == 30
    assert min(left for _, left, *_ in boxes) == 0 and max(n + w for _, n, _, w in boxes) == 40
    # The ratio is uniform in its logarithm: as often above as below 1.
    assert np.mean([math.log(ratio) > 0 for ratio in ratios]) == pytest.approx(0.5, abs=0.08)


def test_noise_is_normal_around_the_mean_color() -> None:
    erase = RandomErasing(1.0, area=(0.99, 0.99), ratio=(1.0, 1.0))
    pixels = erased(erase, Image.new('RGB', (200, 200)))
    top = pixels[:190, :190].reshape(-1, 3).astype(float)
    assert top.mean(0) == pytest.approx([123.675, 116.28, 103.53], abs=2)
    assert top.std(0) == pytest.approx([58, 57, 57], abs=3)  # clipped to what a level can be


def test_probability_and_what_never_fits() -> None:
    never, always = RandomErasing(0.0, fill=0), RandomErasing(1.0, fill=0)
    assert (erased(never, GRAY) == 7).all() and not (erased(always, GRAY) == 7).all()
    some = RandomErasing(0.3, fill=0)
    changed = [not (erased(some, GRAY, seed) == 7).all() for seed in range(500)]
    assert np.mean(changed) == pytest.approx(0.3, abs=0.06)
    tall = RandomErasing(1.0, area=(0.9, 0.9), ratio=(50.0, 50.0), fill=0)
    assert (erased(tall, GRAY) == 7).all()


def test_the_same_generator_erases_the_same_and_leaves_the_image_alone(picture: Any) -> None:
    before = np.asarray(picture).copy()
    erase = RandomErasing(1.0)
    first, second, other = (erased(erase, picture, seed) for seed in (3, 3, 4))
    assert np.array_equal(first, second) and not np.array_equal(first, other)
    assert np.array_equal(np.asarray(picture), before)
    assert first.shape == before.shape and first.dtype == np.uint8


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(prob=1.5), 'prob must be a probability between 0 and 1, got 1.5'),
        (dict(area=(0.5, 0.2)), 'area must satisfy 0 <= smallest <= largest <= 1'),
        (dict(area=(0.0, 0.2)), r'area \(0.0, 0.2\) and ratio .* must begin above 0'),
        (dict(ratio=(0.0, 1.0)), 'must begin above 0'),
        (dict(fill='random'), 'fill must be a gray level from 0 to 255'),
        (dict(fill=256), 'fill must be a gray level from 0 to 255, got 256'),
    ],
)
def test_bad_settings(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RandomErasing(**settings)
