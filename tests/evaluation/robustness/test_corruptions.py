"""Corruptions: the definitions in loops, keyed noise, rising strength, refusals."""

from __future__ import annotations

import io
import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from mochi_mm.evaluation.robustness.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from mochi_mm.randomness import SampleKey


@pytest.fixture(scope='module')
def images() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    smooth = torch.rand(3, 3, 4, 4, generator=generator)
    return (255 * torch.nn.functional.interpolate(smooth, size=32)).to(torch.uint8)


NUMBERS = torch.tensor([4, 0, 9])


def worse(images: Tensor, name: str, strength: int) -> Tensor:
    return corrupt(images, name, strength, NUMBERS, seed=3)


def test_noise_and_contrast_equal_the_loops(images: Tensor) -> None:
    noisy, flat = worse(images, 'noise', 2), worse(images, 'contrast', 3)
    for b, number in enumerate(NUMBERS.tolist()):
        drawn = SampleKey(number, 3).generator().standard_normal((3, 32, 32), np.float32)
        for c in range(3):
            mean = float(images[b, c].double().mean())
            for y, x in [(0, 0), (3, 7), (31, 31)]:
                level = int(images[b, c, y, x])
                expected = min(255, max(0, level + 255 * 0.04 * float(drawn[c, y, x])))
                assert abs(int(noisy[b, c, y, x]) - expected) <= 0.501
                assert abs(int(flat[b, c, y, x]) - (mean + 0.4 * (level - mean))) <= 0.501


def test_blur_equals_the_loop(images: Tensor) -> None:
    """Weights are cut off at 2.5 sigma, edges repeated."""
    sigma, radius = 0.6, 2
    weights = [math.exp(-0.5 * (d / sigma) ** 2) for d in range(-radius, radius + 1)]
    weights = [w / sum(weights) for w in weights]
    found = worse(images, 'blur', 2)
    for y, x in [(0, 0), (5, 8), (31, 3)]:
        total = 0.0
        for dy, wy in zip((-2, -1, 0, 1, 2), weights, strict=True):
            for dx, wx in zip((-2, -1, 0, 1, 2), weights, strict=True):
                near = images[1, 2, min(31, max(0, y + dy)), min(31, max(0, x + dx))]
                total += wy * wx * float(near)
        assert abs(int(found[1, 2, y, x]) - total) <= 0.51


def test_jpeg_is_what_a_file_keeps(images: Tensor) -> None:
    found = worse(images, 'jpeg', 5)
    file = io.BytesIO()
    Image.fromarray(images[2].permute(1, 2, 0).numpy()).save(file, 'JPEG', quality=20)
    expected = np.array(Image.open(io.BytesIO(file.getvalue())))
    assert np.array_equal(found[2].permute(1, 2, 0).numpy(), expected)


@pytest.mark.parametrize('name', CORRUPTIONS)
def test_strength_rises_and_an_image_is_corrupted_alike_in_any_batch(
    name: str, images: Tensor
) -> None:
    away = [
        (worse(images, name, strength).float() - images.float()).square().mean()
        for strength in range(1, 6)
    ]
    assert len(STRENGTHS[name]) == 5 and away[0] > 0
    assert all(first < second for first, second in pairwise(away))
    alone = corrupt(images[2:], name, 4, NUMBERS[2:], seed=3)
    assert torch.equal(alone, worse(images, name, 4)[2:])


@pytest.mark.parametrize(('name', 'strength'), [('fog', 1), ('noise', 0), ('noise', 6)])
def test_what_is_refused(name: str, strength: int, images: Tensor) -> None:
    with pytest.raises(ValueError, match='expected uint8, one of noise, blur, contrast, jpeg'):
        worse(images, name, strength)
    with pytest.raises(ValueError, match=r'torch\.float32 images'):
        worse(images.float(), 'noise', 1)
    with pytest.raises(ValueError, match='images of 1 channels are to be corrupted by jpeg'):
        worse(images[:, :1], 'jpeg', 1)
