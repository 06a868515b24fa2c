"""Mixtures of two images: a weighted sum (mixup) or a pasted box (CutMix)."""

from __future__ import annotations

import torch
from torch import Tensor


def mixup(images: Tensor, partner: Tensor, share: Tensor) -> Tensor:
    """Return ``share x_i + (1 - share) x_partner(i)`` of each image (Zhang et al. 2018).

    Args:
        images: (B, C, H, W).
        partner: (B,) int64.
        share: (B,) share of the image itself, in [0, 1].

    >>> images = torch.tensor([0.0, 4.0]).view(2, 1, 1, 1)
    >>> mixup(images, torch.tensor([1, 0]), torch.tensor([0.75, 0.5])).flatten()
    tensor([1., 2.])
    """
    weight = share.to(images.dtype)[:, None, None, None]
    return weight * images + (1 - weight) * images[partner]


def cutmix_box(share: Tensor, center: Tensor, height: int, width: int) -> Tensor:
    """Return (4,) int64 ``top, bottom, left, right`` of the box that is pasted.

    Its sides are ``sqrt(1 - share)`` of the image's, rounded down to even numbers; what lies
    outside of the image is cut off, so the box may be smaller than the share asks for.

    Args:
        share: Scalar, share that the image keeps at least, in [0, 1].
        center: (2,) int64, row and column of the middle.
        height: H, of the image.
        width: W.

    >>> cutmix_box(torch.tensor(0.75), torch.tensor([1, 4]), 8, 8)  # half of each side
    tensor([0, 3, 2, 6])
    """
    ratio = (1 - share).sqrt()
    bounds = []
    for middle, side in zip(center.unbind(), (height, width), strict=True):
        half = (side * ratio).long() // 2
        bounds += [(middle - half).clamp(0, side), (middle + half).clamp(0, side)]
    return torch.stack(bounds)


def cutmix(images: Tensor, partner: Tensor, box: Tensor) -> tuple[Tensor, Tensor]:
    """Return the images with a box of their partners, and what they keep (Yun et al. 2019).

    Args:
        images: (B, C, H, W).
        partner: (B,) int64.
        box: (4,) int64, see :func:`cutmix_box`; one for the batch.

    Returns:
        images (B, C, H, W), and a scalar, the share of pixels outside of the box.

    >>> images = torch.tensor([0.0, 4.0])[:, None, None, None].expand(2, 1, 2, 2)
    >>> mixed, share = cutmix(images, torch.tensor([1, 0]), torch.tensor([0, 1, 0, 2]))
    >>> mixed[0, 0].tolist(), float(share)
    ([[4.0, 4.0], [0.0, 0.0]], 0.5)
    """
    height, width = images.shape[-2:]
    top, bottom, left, right = box.unbind()
    row = torch.arange(height, device=images.device)[:, None]  # (H, 1)
    column = torch.arange(width, device=images.device)  # (W,)
    inside = (row >= top) & (row < bottom) & (column >= left) & (column < right)  # (H, W)
    kept = 1 - (bottom - top) * (right - left) / (height * width)
    return torch.where(inside, images[partner], images), kept
