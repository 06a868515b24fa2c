"""ColorJitter: pixels against torchvision's functions, draws against a plain loop."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from torchvision.transforms import ColorJitter as Reference
from torchvision.transforms import functional as F

from mochi_mm.datasets.transforms import ColorJitter


def test_pixels_are_those_of_torchvision(picture) -> None:
    transform = ColorJitter(0.4, 0.4, 0.4, 0.1, prob=1.0)
    for seed in range(10):
        out = transform(dict(img=picture, rng=np.random.default_rng(seed)))['img']
        rng = np.random.default_rng(seed)
        rng.random()  # whether to change the image
        expected = picture
        for name, factor in transform.draw(rng):
            if name == 'brightness':
                expected = F.adjust_brightness(expected, factor)
            elif name == 'contrast':
                expected = F.adjust_contrast(expected, factor)
            elif name == 'saturation':
                expected = F.adjust_saturation(expected, factor)
            else:
                expected = F.adjust_hue(expected, factor)
        assert np.array_equal(np.asarray(out), np.asarray(expected))
        assert not np.array_equal(np.asarray(out), np.asarray(picture))


@pytest.mark.parametrize(
    'strength',
    [(0.4, 0.4, 0.4, 0.1), (1.5, 0, (0.2, 0.3), (-0.1, 0.5)), (0, 0, 0, 0), (0, 0, 0, 0.5)],
)
def test_ranges_are_those_of_torchvision(strength) -> None:
    mine, reference = ColorJitter(*strength), Reference(*strength)
    for name in ('brightness', 'contrast', 'saturation', 'hue'):
        expected = getattr(reference, name)
        assert mine.ranges[name] == (
            tuple(expected) if expected else ((0, 0) if name == 'hue' else (1, 1))
        )


def test_draws_are_uniform_and_orders_equally_likely() -> None:
    transform, rng = ColorJitter(0.4, 0.4, 0.4, 0.1), np.random.default_rng(3)
    draws = [transform.draw(rng) for _ in range(4800)]
    orders = Counter(tuple(name for name, _ in draw) for draw in draws)
    assert len(orders) == 24
    assert 140 < min(orders.values()) <= max(orders.values()) < 260  # 200 each, deviation 14
    for name, (low, high) in transform.ranges.items():
        place = np.sort([(dict(draw)[name] - low) / (high - low) for draw in draws])
        assert np.abs(place - np.linspace(0, 1, 4800)).max() < 0.025


def test_operations_without_strength_are_left_out() -> None:
    plan = ColorJitter(contrast=0.2).draw(np.random.default_rng(0))
    assert [name for name, _ in plan] == ['contrast']


def test_share_of_changed_images(picture) -> None:
    transform, rng = ColorJitter(brightness=(2, 3), prob=0.8), np.random.default_rng(5)
    small = picture.resize((4, 4))
    changed = [transform(dict(img=small, rng=rng))['img'] is not small for _ in range(1000)]
    rng, expected = np.random.default_rng(5), []
    for _ in range(1000):
        expected.append(rng.random() < 0.8)
        if expected[-1]:
            rng.random(2)  # order, factor
    assert changed == expected
    assert abs(np.mean(changed) - 0.8) < 0.03


@pytest.mark.parametrize(
    ('arguments', 'match'),
    [
        (dict(brightness=-0.1), 'brightness'),
        (dict(contrast=(1.2, 0.8)), 'contrast'),
        (dict(saturation='0.4'), 'saturation'),
        (dict(hue=0.6), 'hue'),
        (dict(hue=(-0.7, 0)), 'hue'),
        (dict(hue=-0.1), 'hue'),
        (dict(prob=1.1), 'prob'),
        (dict(contrast=float('nan')), 'contrast'),
    ],
)
def test_bad_arguments(arguments, match) -> None:
    with pytest.raises(ValueError, match=match):
        ColorJitter(**arguments)
