"""Color, blur and flip of a batch of views, with parameters of its own for each sample."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def apply_colors(images: Tensor, of_pixel: Tensor, of_mean: Tensor) -> Tensor:
    """Return ``A x + C m`` for every pixel x of images with mean pixel m, clipped to 0..255.

    Args:
        images: (B, channels, H, W) in gray levels.
        of_pixel: (B, channels, channels), A.
        of_mean: (B, channels, channels), C.
    """
    offset = of_mean @ images.mean((2, 3))[..., None]  # (B, channels, 1)
    mixed = torch.baddbmm(offset, of_pixel, images.flatten(2))  # (B, channels, H W)
    return mixed.view_as(images).clamp_(0, 255)


def gaussian_blur(images: Tensor, sigma: Tensor, radius: int) -> Tensor:
    """Return images blurred by a Gaussian cut off at ``radius``, edges repeated.

    Args:
        images: (B, C, H, W).
        sigma: (B,) standard deviations in pixels, > 0.
        radius: At least 1; pixels on either side that a pixel is averaged over.
    """
    batch, channels, height, width = images.shape
    offsets = torch.arange(-radius, radius + 1, device=images.device, dtype=images.dtype)
    kernel = torch.exp(-0.5 * (offsets / sigma[:, None]) ** 2)  # (B, 2 radius + 1)
    # (B C, 2 radius + 1), one kernel for each channel of each image
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(channels, 0)
    groups = batch * channels
    flat = images.reshape(1, groups, height, width)  # (1, B C, H, W)
    flat = F.pad(flat, (radius,) * 4, mode='replicate')
    flat = F.conv2d(flat, kernel[:, None, None, :], groups=groups)
    flat = F.conv2d(flat, kernel[:, None, :, None], groups=groups)
    return flat.view(batch, channels, height, width)


def blur_radius(sigma: float) -> int:
    """Return the radius at which a Gaussian is cut off: 2.5 standard deviations."""
    return max(1, math.ceil(2.5 * sigma))


def flip_some(images: Tensor, flip: Tensor) -> Tensor:
    """Return images (B, C, H, W), those with ``flip`` (B,) mirrored left to right."""
    return torch.where(flip.bool()[:, None, None, None], images.flip(3), images)


def resized_crops(images: Tensor, boxes: Tensor, size: int) -> Tensor:
    """Return a crop of each image, resized bilinearly; whole gray levels stay whole.

    The filter is PIL's where a crop is enlarged; one that is reduced needs a wider filter, that of
    :func:`filtered_crops`.

    Args:
        images: (B, C, H, W) uint8, or float gray levels.
        boxes: (B, 4) top, left, height, width in pixels.
        size: Side of the result, not below that of a crop.

    Returns:
        (B, C, size, size) float.
    """
    height, width = images.shape[2:]
    steps = (torch.arange(size, device=images.device) + 0.5) / size  # (size,)
    top, left, tall, wide = boxes[:, :, None].unbind(1)  # (B, 1) each
    # Pixel centers, kept inside the crop: its border is repeated, what lies beyond is not seen.
    y = (top + steps * tall - 0.5).clamp(top, top + tall - 1)
    x = (left + steps * wide - 0.5).clamp(left, left + wide - 1)
    y, x = (2 * y + 1) / height - 1, (2 * x + 1) / width - 1  # (B, size) each, in [-1, 1]
    # (B, size, size, 2)
    grid = torch.stack([x[:, None, :].expand(-1, size, -1), y[:, :, None].expand(-1, -1, size)], -1)
    return _whole(F.grid_sample(images.float(), grid, align_corners=False), images)


def filtered_crops(images: Tensor, boxes: Tensor, size: int) -> Tensor:
    """Return a crop of each image, enlarged or reduced as PIL does it bilinearly, in gray levels.

    A pixel of the result is the mean of the crop's pixels under a triangle around it, two pixels of
    the result wide, or two of the crop where these are larger; whole gray levels stay whole.

    Args:
        images: (B, C, H, W) uint8, or float gray levels.
        boxes: (B, 4) top, left, height, width in pixels.
        size: Side of the result.

    Returns:
        (B, C, size, size) float.
    """
    height, width = images.shape[2:]
    top, left, tall, wide = boxes.unbind(1)  # (B,) each
    down = _triangles(top, tall, height, size)  # (B, size, H)
    across = _triangles(left, wide, width, size)  # (B, size, W)
    rows = down[:, None] @ images.float()  # (B, C, size, W)
    return _whole(rows @ across[:, None].transpose(2, 3), images)


def _whole(levels: Tensor, images: Tensor) -> Tensor:
    """Return levels rounded where the images hold whole ones."""
    return levels if images.is_floating_point() else levels.round()


def _triangles(start: Tensor, length: Tensor, pixels: int, size: int) -> Tensor:
    """Return (B, size, pixels) the weight of each pixel of a line in each pixel of the result.

    Args:
        start: (B,) first pixel of the crop.
        length: (B,) its length.
        pixels: Length of the line.
        size: Length of the result.
    """
    place = torch.arange(pixels, device=start.device, dtype=start.dtype)  # (pixels,)
    steps = (torch.arange(size, device=start.device, dtype=start.dtype) + 0.5) / size  # (size,)
    centers = start[:, None] + steps * length[:, None]  # (B, size)
    reach = (length / size).clamp_min(1)[:, None, None]  # (B, 1, 1)
    weights = (1 - (place + 0.5 - centers[..., None]).abs() / reach).clamp_min(0)
    inside = (place >= start[:, None]) & (place < (start + length)[:, None])  # (B, pixels)
    weights = weights * inside[:, None]
    return weights / weights.sum(2, keepdim=True)
