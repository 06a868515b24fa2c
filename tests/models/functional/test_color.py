"""Color spaces against a loop over one pixel and published values."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.models.functional.color import rgb_to_lab, rgb_to_ycbcr


def pixel(function, levels: list[float]) -> list[float]:
    image = torch.tensor(levels, dtype=torch.float64).view(1, 3, 1, 1)
    return function(image).flatten().tolist()


def lab_loop(levels: list[float]) -> list[float]:
    """CIE 1976, from sRGB (IEC 61966-2-1)."""
    linear = [
        ((v / 255 + 0.055) / 1.055) ** 2.4 if v / 255 > 0.04045 else v / 255 / 12.92 for v in levels
    ]
    matrix = [
        [0.412453, 0.35758, 0.180423],
        [0.212671, 0.71516, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
    f = []
    for row, white in zip(matrix, [0.95047, 1.0, 1.08883], strict=True):
        t = sum(a * b for a, b in zip(row, linear, strict=True)) / white
        f.append(t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116)
    return [116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])]


@pytest.mark.parametrize(
    ('levels', 'lab'),
    [
        ([255, 255, 255], [100, 0, 0]),
        ([0, 0, 0], [0, 0, 0]),
        ([255, 0, 0], [53.24, 80.09, 67.20]),
        ([0, 255, 0], [87.73, -86.18, 83.18]),
        ([0, 0, 255], [32.30, 79.19, -107.86]),
        ([3, 200, 9], None),
        ([127, 128, 1], None),
    ],
)
def test_lab(levels: list[float], lab: list[float] | None) -> None:
    result = pixel(rgb_to_lab, levels)
    assert result == pytest.approx(lab_loop(levels), abs=1e-9)
    if lab is not None:
        assert result == pytest.approx(lab, abs=0.02)


@pytest.mark.parametrize(
    ('levels', 'ycbcr'),
    [
        ([255, 255, 255], [235, 128, 128]),
        ([0, 0, 0], [16, 128, 128]),
        ([255, 0, 0], [81.481, 90.203, 240]),
        ([0, 0, 255], [40.966, 240, 109.786]),
    ],
)
def test_ycbcr(levels: list[float], ycbcr: list[float]) -> None:
    assert pixel(rgb_to_ycbcr, levels) == pytest.approx(ycbcr, abs=1e-9)


def test_batches_of_images() -> None:
    images = torch.randint(0, 256, (2, 3, 4, 5), generator=torch.Generator().manual_seed(0)).float()
    lab = rgb_to_lab(images)
    assert lab.shape == images.shape
    for b, y, x in ((0, 0, 0), (1, 3, 4), (1, 2, 0)):
        assert lab[b, :, y, x].tolist() == pytest.approx(
            lab_loop(images[b, :, y, x].tolist()), abs=1e-3
        )
