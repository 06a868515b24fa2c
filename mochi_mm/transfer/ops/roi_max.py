"""The max-pooling mode of mmcv's RoIAlign, which torchvision does not have."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# mmcv's starting value of the maximum: what a bin without samples is given.
LOWEST = -10000.0


def roi_max_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    spatial_scale: float,
    sampling_ratio: int,
    aligned: bool,
) -> None:
    """Write the largest bilinear sample of each bin, and where it lies; one region at a time.

    Arguments are those of :func:`mochi_mm.transfer.ops.roi_align.roi_align_forward`; the bins are
    the last two sizes of ``output``. A sample outside the map counts as 0.
    """
    output.fill_(LOWEST)
    argmax_y.fill_(-1)
    argmax_x.fill_(-1)
    height, width = output.shape[-2:]
    for i, roi in enumerate(rois):
        corners = roi[1:] * spatial_scale - (0.5 if aligned else 0.0)
        y = _samples(corners[1], corners[3], height, sampling_ratio, aligned)  # (h, sy)
        x = _samples(corners[0], corners[2], width, sampling_ratio, aligned)  # (w, sx)
        if y.numel() == 0 or x.numel() == 0:
            continue
        values = _bilinear(input[int(roi[0])], y.flatten(), x.flatten())  # (C, h sy, w sx)
        values = values.view(-1, *y.shape, *x.shape).transpose(2, 3).flatten(3)  # (C, h, w, sy sx)
        best, index = values.max(dim=-1)  # (C, h, w) each
        rows = y[:, None, :, None].expand(height, width, *y.shape[1:], *x.shape[1:])  # h, w, sy, sx
        columns = x[None, :, None, :].expand(height, width, *y.shape[1:], *x.shape[1:])  # as rows
        output[i] = best
        argmax_y[i] = _pick(rows.flatten(2), index)
        argmax_x[i] = _pick(columns.flatten(2), index)


def roi_max_backward(
    grad_output: Tensor, rois: Tensor, argmax_y: Tensor, argmax_x: Tensor, grad_input: Tensor
) -> None:
    """Add each bin's gradient to the four neighbors of its maximum in ``grad_input``."""
    height, width = grad_input.shape[-2:]
    y_low, y_high, y_weights = _neighbors(argmax_y, height)  # (N, C, h, w) each
    x_low, x_high, x_weights = _neighbors(argmax_x, width)
    # mmcv marks a bin without a maximum by the row -1.
    gradient = torch.where(argmax_y == -1, 0, grad_output)  # (N, C, h, w)
    images = rois[:, 0].long().view(-1, 1, 1, 1).expand_as(y_low)  # (N, C, h, w)
    channels = torch.arange(grad_input.shape[1], device=grad_input.device)
    channels = channels.view(1, -1, 1, 1).expand_as(y_low)  # (N, C, h, w)
    for row, row_weight in zip((y_low, y_high), y_weights, strict=True):
        for column, column_weight in zip((x_low, x_high), x_weights, strict=True):
            grad_input.index_put_(
                (images, channels, row, column),
                gradient * row_weight * column_weight,
                accumulate=True,
            )


def _samples(start: Tensor, stop: Tensor, bins: int, sampling_ratio: int, aligned: bool) -> Tensor:
    """Return the sampled coordinates (bins, samples per bin) along one side of a region."""
    size = stop - start if aligned else (stop - start).clamp(min=1)
    count = sampling_ratio if sampling_ratio > 0 else math.ceil(float(size / bins))
    steps = torch.arange(max(count, 0), dtype=start.dtype, device=start.device) + 0.5
    edges = torch.arange(bins, dtype=start.dtype, device=start.device)[:, None]  # (bins, 1)
    return start + edges * (size / bins) + steps * (size / bins) / max(count, 1)


def _neighbors(at: Tensor, size: int) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
    """Return both neighboring pixels of each coordinate and their weights, 0 outside the map."""
    inside = (at >= -1) & (at <= size)
    clamped = at.clamp(min=0, max=size - 1)
    low = clamped.long()
    high = (low + 1).clamp(max=size - 1)
    upper = clamped - low
    return low, high, ((1 - upper) * inside, upper * inside)


def _bilinear(image: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Return (C, len(y), len(x)) samples of an image (C, H, W) at every pair of coordinates."""
    y_low, y_high, y_weights = _neighbors(y, image.shape[-2])
    x_low, x_high, x_weights = _neighbors(x, image.shape[-1])
    total = image.new_zeros(image.shape[0], len(y), len(x))
    for row, row_weight in zip((y_low, y_high), y_weights, strict=True):
        for column, column_weight in zip((x_low, x_high), x_weights, strict=True):
            weight = row_weight[:, None] * column_weight[None, :]  # (Y, X)
            total += weight * image[:, row][:, :, column]  # (C, Y, X)
    return total


def _pick(coordinates: Tensor, index: Tensor) -> Tensor:
    """Return the coordinate (C, height, width) of each bin's chosen sample."""
    expanded = coordinates.expand(len(index), *coordinates.shape)  # (C, height, width, samples)
    return expanded.gather(-1, index[..., None])[..., 0]
