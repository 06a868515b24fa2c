"""Partners of another class, boxes of CutMix, what is pasted."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch

from mochi_mm.models.functional.image_mixing import cutmix_boxes, other_class_partners, paste_box

LABELS = torch.tensor([2, 0, 0, 2, 2, 1, 0])


def test_partners_are_of_another_class_and_drawn_alike() -> None:
    draws = 6000
    generator = torch.Generator().manual_seed(0)
    partners, found = other_class_partners(LABELS, draws, generator)
    assert partners.shape == (draws, 7) and found.all()
    for image, label in enumerate(LABELS.tolist()):
        others = [j for j in range(7) if int(LABELS[j]) != label]
        counts = torch.bincount(partners[:, image], minlength=7)
        assert int(counts.sum()) == int(counts[others].sum()) == draws
        share = 1 / len(others)
        spread = math.sqrt(share * (1 - share) / draws)
        assert all(abs(int(counts[j]) / draws - share) < 5 * spread for j in others)
    # The draws of two images are no function of each other.
    pairs = (partners[:, 1] * 7 + partners[:, 2]).unique()
    assert len(pairs) == 16


def test_the_draws_are_the_generators() -> None:
    first, second, third = (
        other_class_partners(LABELS, 3, torch.Generator().manual_seed(seed))[0]
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, second) and not torch.equal(first, third)


@pytest.mark.parametrize('size', [1, 4])
def test_a_batch_of_one_class_has_no_partners(size: int) -> None:
    partners, found = other_class_partners(torch.full((size,), 3), 2)
    assert partners.tolist() == [list(range(size))] * 2 and not found.any()


@pytest.mark.parametrize(
    ('height', 'width', 'kept'),
    [(32, 32, 0.5), (32, 24, 0.5), (40, 48, 0.3), (32, 51, 0.8), (224, 160, 0.5), (16, 16, 0.5)],
)
def test_boxes_are_those_that_draws_until_one_fits_would_give(
    height: int, width: int, kept: float
) -> None:
    cut = [int(side * math.sqrt(1 - kept)) for side in (height, width)]
    expected = []
    for y in range(height):
        for x in range(width):
            box = (
                max(y - cut[0] // 2, 0),
                min(y + (cut[0] + 1) // 2, height),
                max(x - cut[1] // 2, 0),
                min(x + (cut[1] + 1) // 2, width),
            )
            inside = Fraction((box[1] - box[0]) * (box[3] - box[2]), height * width)
            if abs(1 - inside - Fraction(str(kept))) <= Fraction(1, 20):
                expected.append(box)
    assert list(cutmix_boxes(height, width, kept)) == expected and expected


def test_boxes_that_would_mix_nothing_are_none() -> None:
    """A box of no pixel leaves all of an image, which lies within 0.05 of a share of 0.99."""
    for kept in (0.99, 0.96):
        with pytest.raises(ValueError, match=f'a share of {kept} of an image of 4 x 4'):
            cutmix_boxes(4, 4, kept)


def test_images_too_small_for_a_share_are_said() -> None:
    with pytest.raises(ValueError, match=r'no box .* share of 0.5 of an image of 8 x 8 pixels'):
        cutmix_boxes(8, 8, 0.5)


def test_a_box_of_the_images_replaces_what_was_there() -> None:
    images, onto = torch.rand(2, 3, 5, 6), torch.rand(2, 3, 5, 6)
    kept = onto.clone()
    mixed = paste_box(images, (1, 4, 2, 6), onto)
    assert torch.equal(onto, kept)
    for y in range(5):
        for x in range(6):
            source = images if 1 <= y < 4 and 2 <= x < 6 else onto
            assert torch.equal(mixed[:, :, y, x], source[:, :, y, x])
