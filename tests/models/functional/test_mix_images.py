"""Mixtures of images, pixel by pixel."""

from __future__ import annotations

import math

import pytest
import torch

from mochi_mm.models.functional.mix_images import cutmix, cutmix_box, mixup

IMAGES = torch.rand(3, 2, 5, 7, generator=torch.Generator().manual_seed(0))
PARTNER = torch.tensor([2, 1, 0])


def test_mixup_is_the_weighted_sum_of_each_pixel() -> None:
    share = torch.tensor([0.75, 0.5, 1.0])
    mixed = mixup(IMAGES, PARTNER, share)
    for b in range(3):
        for place in range(70):
            own, other = (float(IMAGES[i].flatten()[place]) for i in (b, int(PARTNER[b])))
            expected = float(share[b]) * own + (1 - float(share[b])) * other
            assert float(mixed[b].flatten()[place]) == pytest.approx(expected, abs=1e-6)
    assert torch.equal(mixed[2], IMAGES[2])
    assert mixup(IMAGES.half(), PARTNER, share).dtype == torch.float16


def test_worked_pixel() -> None:
    """(.2, .4) and (1, 0), half and half: (.6, .2)."""
    images = torch.tensor([[0.2, 0.4], [1.0, 0.0]])[:, :, None, None]
    mixed = mixup(images, torch.tensor([1, 0]), torch.tensor([0.5, 0.5]))
    assert mixed[0].flatten().tolist() == pytest.approx([0.6, 0.2])


@pytest.mark.parametrize('share', [0.0, 0.3, 0.5, 0.9, 1.0])
@pytest.mark.parametrize('center', [(0, 0), (2, 3), (4, 6), (1, 6)])
def test_the_box_is_cut_off_at_the_borders(share: float, center: tuple[int, int]) -> None:
    found = cutmix_box(torch.tensor(share), torch.tensor(center), 5, 7).tolist()
    expected = []
    for middle, side in zip(center, (5, 7), strict=True):
        half = int(side * math.sqrt(1 - share) + 1e-6) // 2
        expected += [max(middle - half, 0), min(middle + half, side)]
    assert found == expected


def test_cutmix_pastes_the_box_of_the_partner_and_says_what_is_left() -> None:
    top, bottom, left, right = 1, 4, 2, 7
    mixed, kept = cutmix(IMAGES, PARTNER, torch.tensor([top, bottom, left, right]))
    for b in range(3):
        for row in range(5):
            for column in range(7):
                inside = top <= row < bottom and left <= column < right
                source = int(PARTNER[b]) if inside else b
                assert torch.equal(mixed[b, :, row, column], IMAGES[source, :, row, column])
    assert float(kept) == pytest.approx(1 - 15 / 35)
    whole, kept = cutmix(IMAGES, PARTNER, torch.tensor([2, 2, 3, 3]))
    assert torch.equal(whole, IMAGES) and float(kept) == 1
