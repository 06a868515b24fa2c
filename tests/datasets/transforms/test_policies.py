"""AutoAugment and RandAugment: torchvision's pixels, drawn from the sample's generator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import AutoAugment as TorchVisionAutoAugment
from torchvision.transforms import AutoAugmentPolicy
from torchvision.transforms import RandAugment as TorchVisionRandAugment

from mochi_mm.datasets.transforms import AutoAugment, RandAugment

CASES = {
    'defaults of AutoAugment': (AutoAugment(), TorchVisionAutoAugment()),
    'cifar10': (
        AutoAugment('cifar10', 128),
        TorchVisionAutoAugment(AutoAugmentPolicy.CIFAR10, fill=[128.0] * 3),
    ),
    'defaults of RandAugment': (RandAugment(), TorchVisionRandAugment()),
    'FNC': (
        RandAugment(2, 7, max_magnitude=10, fill=128),
        TorchVisionRandAugment(2, 7, num_magnitude_bins=11, fill=[128.0] * 3),
    ),
}


def pixels(image: Any) -> np.ndarray:
    return np.asarray(image)


@pytest.mark.parametrize('name', CASES)
def test_is_torchvision_with_a_seed_from_the_generator(picture, name: str) -> None:
    ours, theirs = CASES[name]
    rng, changed = np.random.default_rng(0), 0
    seeds = np.random.default_rng(0).integers(2**63, size=20)
    for seed in seeds:
        out = ours(dict(img=picture, rng=rng))['img']
        torch.manual_seed(int(seed))
        assert np.array_equal(pixels(out), pixels(theirs(picture)))
        assert out.size == picture.size
        changed += not np.array_equal(pixels(out), pixels(picture))
    assert changed > 10


@pytest.mark.parametrize('name', CASES)
def test_torch_does_not_notice(picture, name: str) -> None:
    ours, _ = CASES[name]
    images = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        images.append(ours(dict(img=picture, rng=np.random.default_rng(5)))['img'])
        assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(pixels(images[0]), pixels(images[1]))


def test_strength_and_fill() -> None:
    """On white, an operation other than a move may leave white; what moves in is the fill."""
    white = Image.new('RGB', (40, 40), (255, 255, 255))
    moved = []
    for magnitude in (0, 10):
        augment = RandAugment(1, magnitude, max_magnitude=10, fill=7)
        rng = np.random.default_rng(0)
        images = [pixels(augment(dict(img=white, rng=rng))['img']) for _ in range(60)]
        moved.append(sum(int((image == 7).all(axis=-1).sum()) for image in images))
    assert moved[0] == 0 and moved[1] > 1000


@pytest.mark.parametrize(
    ('build', 'message'),
    [
        (
            lambda: AutoAugment('cifar'),
            "policy must be one of imagenet, cifar10, svhn, got 'cifar'",
        ),
        (lambda: AutoAugment(fill=256), 'fill must be a gray level from 0 to 255, got 256'),
        (lambda: RandAugment(0), 'num_ops must be an integer >= 1, got 0'),
        (lambda: RandAugment(2, 11, 10), 'from 0 to max_magnitude, 10; got 11'),
        (lambda: RandAugment(2, 9.0), 'magnitude must be an integer'),
        (lambda: RandAugment(2, 0, 0), 'max_magnitude must be an integer >= 1, got 0'),
        (lambda: RandAugment(fill=(1, 2, 3)), 'fill must be a gray level'),
    ],
)
def test_bad_settings(build: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()
