"""Grad-CAM's equations: slow loops, constant maps, ties."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.models.functional.grad_cam import grad_cam, heat_map, hottest, keep_hot


@pytest.mark.parametrize('rectify', [False, True])
@pytest.mark.parametrize('size', [(1, 1, 1, 1), (2, 5, 3, 4)])
def test_grad_cam_equals_the_loop(size: tuple[int, ...], rectify: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    activation = torch.randn(*size, generator=generator)
    gradient = torch.randn(*size, generator=generator)
    found = grad_cam(activation, gradient, rectify)
    batch, channels, height, width = size
    a, g = activation.double().tolist(), gradient.double().tolist()
    for b in range(batch):
        weights = [sum(map(sum, g[b][c])) / (height * width) for c in range(channels)]
        for y in range(height):
            for x in range(width):
                value = sum(weights[c] * a[b][c][y][x] for c in range(channels))
                value = max(value, 0.0) if rectify else value
                assert float(found[b, y, x]) == pytest.approx(value, abs=1e-5)


def test_the_worked_mask_drops_the_threshold_itself() -> None:
    heat, varies = heat_map(torch.tensor([[[0.0, 2.0], [1.0, 4.0]]]), (2, 2))
    assert heat.flatten().tolist() == [0.0, 0.5, 0.25, 1.0] and bool(varies)
    image = torch.tensor([[10.0, 20.0], [30.0, 40.0]]).expand(1, 3, 2, 2)
    assert keep_hot(image, heat)[0, 2].tolist() == [[0.0, 0.0], [0.0, 40.0]]


def test_each_image_has_its_own_range_and_a_constant_map_is_nothing() -> None:
    heat, varies = heat_map(torch.tensor([[[3.0]], [[-2.0]]]).expand(2, 2, 2), (5, 7))
    assert heat.shape == (2, 5, 7) and not varies.any() and float(heat.abs().max()) == 0.0
    maps = torch.tensor([[[0.0, 1.0]], [[-50.0, 50.0]]])
    heat, varies = heat_map(maps, (1, 4))
    # Bilinear between the centers of the two positions: 0, 1/4, 3/4, 1 of the range.
    assert varies.all() and torch.allclose(heat[0], torch.tensor([[0.0, 0.25, 0.75, 1.0]]))
    assert torch.allclose(heat[0], heat[1], atol=1e-6)


@pytest.mark.parametrize(('share', 'count'), [(0.15, 2), (0.25, 3), (1.0, 12), (0.01, 1)])
def test_the_hottest_pixels_are_so_many(share: float, count: int) -> None:
    heat = torch.stack([torch.arange(12.0).view(3, 4), torch.zeros(3, 4)])
    kept = hottest(heat, share)
    assert kept.flatten(1).sum(1).tolist() == [count, count]
    assert kept[0].flatten().nonzero().flatten().tolist() == list(range(12 - count, 12))
    assert kept[1].flatten().nonzero().flatten().tolist() == list(range(count))
