"""Mixtures of two images: whose partner, which share, which box."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

#: Top, bottom, left and right of a box, in pixels; bottom and right lie outside of it.
Box = tuple[int, int, int, int]


def other_class_partners(
    labels: Tensor, times: int, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Draw partners of another class, each of them with the same probability.

    Args:
        labels: (B,) class of each image.
        times: T, draws for each image, independent of each other.
        generator: Source of the draws; None takes torch's own.

    Returns:
        (T, B) number of each partner, an image's own number where the batch has no other class; and
        (B,) bool, where there is a partner. The host waits for neither.

    >>> other_class_partners(torch.tensor([4, 4, 7]), times=2)[0][:, :2]
    tensor([[2, 2],
            [2, 2]])
    """
    other = labels[:, None] != labels  # (B, B)
    draws = torch.rand((times, *other.shape), generator=generator, device=labels.device)
    drawn = draws.masked_fill(~other, -1.0).argmax(2)  # (T, B)
    found = other.any(1)
    own = torch.arange(len(labels), device=labels.device)
    return torch.where(found, drawn, own), found


def paste_box(images: Tensor, box: Box, onto: Tensor) -> Tensor:
    """Return ``onto`` (B, C, H, W) with a box of each of the images (B, C, H, W) in its place."""
    top, bottom, left, right = box
    mixed = onto.clone()
    mixed[:, :, top:bottom, left:right] = images[:, :, top:bottom, left:right]
    return mixed


@lru_cache
def cutmix_boxes(height: int, width: int, kept: float, tolerance: float = 0.05) -> tuple[Box, ...]:
    """Return the boxes of CutMix that leave about a share ``kept`` of an image.

    A box of the sides ``int(side * sqrt(1 - kept))`` stands around each pixel in turn and is cut
    off at the border. To draw one of those returned is to draw centers until one fits, as UniCon's
    code does, which drops the last pixel of an odd side and never ends where none fits. A box of no
    pixel mixes nothing and is left out.

    Args:
        height: Of the image, in pixels.
        width: Of the image, in pixels.
        kept: Share of the image outside the box, in (0, 1).
        tolerance: Largest difference of a box's share from it.

    Raises:
        ValueError: No box fits: the image has too few pixels for that share.
    """
    root, most = (1 - kept) ** 0.5, tolerance + 1e-9  # the bound itself fits, whatever the rounding
    rows, columns = _intervals(height, root), _intervals(width, root)
    total = height * width
    areas = (
        ((top, bottom, left, right), (bottom - top) * (right - left))
        for top, bottom in rows
        for left, right in columns
    )
    boxes = tuple(box for box, area in areas if area > 0 and abs(1 - area / total - kept) <= most)
    if not boxes:
        raise ValueError(
            f'no box of CutMix leaves a share of {kept} of an image of {height} x {width} pixels, '
            f'give or take {tolerance}; take larger images, or mode mixup.'
        )
    return boxes


def _intervals(side: int, root: float) -> list[tuple[int, int]]:
    cut = int(side * root)
    return [(max(c - cut // 2, 0), min(c - cut // 2 + cut, side)) for c in range(side)]
