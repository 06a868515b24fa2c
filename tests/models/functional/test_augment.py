"""Colors, blur, flip and crops of a batch, pixel by pixel in float64."""

from __future__ import annotations

import math

import pytest
import torch

from mochi_mm.models.functional.augment import (
    apply_colors,
    blur_radius,
    flip_some,
    gaussian_blur,
    resized_crops,
)


def images(batch: int, height: int, width: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (batch, 3, height, width), generator=generator).float()


def test_colors_of_each_sample() -> None:
    batch = images(3, 4, 5)
    generator = torch.Generator().manual_seed(1)
    of_pixel = torch.eye(3) + 0.2 * torch.randn(3, 3, 3, generator=generator)
    of_mean = 0.3 * torch.randn(3, 3, 3, generator=generator)
    result = apply_colors(batch, of_pixel, of_mean)
    for b in range(3):
        mean = batch[b].double().mean((1, 2))
        for y in range(4):
            for x in range(5):
                pixel = batch[b, :, y, x].double()
                value = of_pixel[b].double() @ pixel + of_mean[b].double() @ mean
                expected = value.clamp(0, 255).tolist()
                assert result[b, :, y, x].tolist() == pytest.approx(expected, abs=1e-3)


def test_blur_of_each_sample() -> None:
    """Edges repeated, each sample with its own width."""
    batch, sigma, radius = images(2, 4, 6), torch.tensor([0.7, 1.9]), 5
    result = gaussian_blur(batch, sigma, radius)
    for b in range(2):
        steps = range(-radius, radius + 1)
        weight = [math.exp(-0.5 * (i / float(sigma[b])) ** 2) for i in steps]
        weight = [w / sum(weight) for w in weight]
        for y, x in ((0, 0), (3, 5), (1, 2)):
            total = torch.zeros(3, dtype=torch.float64)
            for i, wy in zip(steps, weight, strict=True):
                for j, wx in zip(steps, weight, strict=True):
                    near = batch[b, :, min(max(y + i, 0), 3), min(max(x + j, 0), 5)]
                    total += wy * wx * near.double()
            assert result[b, :, y, x].tolist() == pytest.approx(total.tolist(), abs=1e-3)


def test_the_radius_is_two_and_a_half_deviations() -> None:
    assert [blur_radius(sigma) for sigma in (0.1, 0.4, 1.0, 2.0)] == [1, 1, 3, 5]


def test_some_are_flipped() -> None:
    batch = images(3, 2, 4)
    result = flip_some(batch, torch.tensor([1.0, 0.0, 1.0]))
    assert torch.equal(result[0], batch[0].flip(2)) and torch.equal(result[2], batch[2].flip(2))
    assert torch.equal(result[1], batch[1])


def test_crops_are_enlarged_bilinearly_within_their_borders() -> None:
    batch = images(2, 6, 7).to(torch.uint8)
    boxes = torch.tensor([[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 6.0, 7.0]])
    size = 8
    result = resized_crops(batch, boxes, size)
    assert result.shape == (2, 3, size, size)
    for b, (top, left, tall, wide) in enumerate(boxes.tolist()):
        crop = batch[b, :, int(top) : int(top + tall), int(left) : int(left + wide)].double()
        expected = torch.nn.functional.interpolate(
            crop[None], (size, size), mode='bilinear', align_corners=False
        )[0]
        # Rounded to whole gray levels, and half a level is rounded either way.
        assert float((result[b].double() - expected).abs().max()) <= 0.5 + 1e-3
