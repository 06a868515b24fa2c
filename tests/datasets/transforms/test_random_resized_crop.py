"""RandomResizedCrop: pixels and boxes against torchvision, draws against a plain loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms import RandomResizedCrop as Reference
from torchvision.transforms import functional as F

from mochi_mm.datasets.transforms import RandomResizedCrop


@pytest.mark.parametrize(
    ('interpolation', 'mode'),
    [
        ('bilinear', InterpolationMode.BILINEAR),
        ('bicubic', InterpolationMode.BICUBIC),
        ('nearest', InterpolationMode.NEAREST),
        ('lanczos', InterpolationMode.LANCZOS),
    ],
)
@pytest.mark.parametrize('size', [24, (17, 31)])
def test_pixels_are_those_of_torchvision(picture, interpolation, mode, size) -> None:
    transform = RandomResizedCrop(size, interpolation=interpolation)
    for seed in range(5):
        out = transform(dict(img=picture, rng=np.random.default_rng(seed)))['img']
        box = transform.draw(*picture.size, np.random.default_rng(seed))
        expected = F.resized_crop(
            picture, *box, [size, size] if isinstance(size, int) else list(size), mode
        )
        assert np.array_equal(np.asarray(out), np.asarray(expected))


def test_draw_follows_the_rule() -> None:
    transform = RandomResizedCrop(8, scale=(0.3, 0.9), ratio=(0.5, 3.0))
    for seed in range(200):
        rng, width, height = np.random.default_rng(seed), 50, 37
        for _ in range(10):
            area = width * height * (0.3 + 0.6 * rng.random())
            aspect = math.exp(math.log(0.5) + (math.log(3.0) - math.log(0.5)) * rng.random())
            w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if w <= width and h <= height:
                top = math.floor(rng.random() * (height - h + 1))
                expected = (top, math.floor(rng.random() * (width - w + 1)), h, w)
                break
        else:
            continue
        assert transform.draw(width, height, np.random.default_rng(seed)) == expected


def test_boxes_are_distributed_as_in_torchvision() -> None:
    transform, image, rng = RandomResizedCrop(8), torch.empty(3, 300, 400), np.random.default_rng(1)
    mine = np.array([transform.draw(400, 300, rng) for _ in range(4000)], dtype=float)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        theirs = np.array(
            [Reference.get_params(image, [0.2, 1.0], [3 / 4, 4 / 3]) for _ in range(4000)],
            dtype=float,
        )
    levels = np.linspace(0.05, 0.95, 19)
    for column, side in enumerate((300, 400, 300, 400)):
        gap = np.quantile(mine[:, column], levels) - np.quantile(theirs[:, column], levels)
        assert np.abs(gap).max() < 0.04 * side
    share = mine[:, 2] * mine[:, 3] / (300 * 400)
    assert share.min() > 0.195
    assert share.max() <= 1


def test_every_position_is_reached() -> None:
    transform = RandomResizedCrop(2, scale=(0.25, 0.25), ratio=(1, 1))
    rng = np.random.default_rng(0)
    boxes = {transform.draw(4, 4, rng) for _ in range(300)}
    assert boxes == {(top, left, 2, 2) for top in range(3) for left in range(3)}


@pytest.mark.parametrize(('width', 'height'), [(1000, 10), (10, 1000), (100, 1), (1, 100), (1, 1)])
def test_box_that_never_fits_becomes_torchvisions_center_box(width, height) -> None:
    transform = RandomResizedCrop(8, scale=(0.9, 1.0))
    expected = Reference.get_params(torch.empty(3, height, width), [0.9, 1.0], [3 / 4, 4 / 3])
    box = transform.draw(width, height, np.random.default_rng(0))
    assert box == expected
    assert min(box[2:]) >= 1


@pytest.mark.parametrize(
    ('arguments', 'match'),
    [
        (dict(size=0), 'size'),
        (dict(size=(1, 2, 3)), 'size'),
        (dict(size=2.5), 'size'),
        (dict(size=8, scale=(0.9, 0.2)), 'scale'),
        (dict(size=8, scale=(0, 1)), 'scale'),
        (dict(size=8, scale=(0.5, 1.5)), 'scale'),
        (dict(size=8, scale=0.5), 'scale'),
        (dict(size=8, ratio=(0, 1)), 'ratio'),
        (dict(size=8, ratio=(2, 1)), 'ratio'),
        (dict(size=8, interpolation='linear'), 'bilinear'),
    ],
)
def test_bad_arguments(arguments, match) -> None:
    with pytest.raises(ValueError, match=match):
        RandomResizedCrop(**arguments)
