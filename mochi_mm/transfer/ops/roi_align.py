"""RoIAlign with mmcv's arguments (He et al. 2017), average pooling computed by torchvision."""

from __future__ import annotations

import torch
from torch import Tensor

from mochi_mm.transfer.ops.roi_max import roi_max_backward, roi_max_forward

MAX, AVERAGE = 0, 1


def roi_align_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Write the pooled regions into ``output``.

    Args:
        input: Maps (B, C, H, W).
        rois: (N, 5), each the index of its map and the corners x1, y1, x2, y2 in pixels.
        output: (N, C, aligned_height, aligned_width), overwritten.
        argmax_y: With max pooling, overwritten with the row of each maximum; else empty.
        argmax_x: With max pooling, overwritten with the column of each maximum; else empty.
        aligned_height: Bins along y.
        aligned_width: Bins along x.
        spatial_scale: Size of a map over the size of the image.
        sampling_ratio: Samples per bin in each direction; 0 for ceil(size of the region / bins).
        pool_mode: 0 for the maximum of a bin's samples, 1 for their mean.
        aligned: Shift the region by half a pixel, as detectron2 does. Without it a region is at
            least one pixel wide and high.

    Raises:
        TypeError: bfloat16 maps or regions: its 8 bits put corners pixels away.
        ValueError: A region of negative size (seen on the CPU only), or an unknown pool mode.
    """
    _check(input, rois, pool_mode, aligned)
    bins = (aligned_height, aligned_width)
    if pool_mode == MAX:
        roi_max_forward(
            input, rois, output, argmax_y, argmax_x, spatial_scale, sampling_ratio, aligned
        )
        return
    output.copy_(
        torch.ops.torchvision.roi_align(input, rois, spatial_scale, *bins, sampling_ratio, aligned)
    )


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Write the gradient with respect to the maps into ``grad_input`` (B, C, H, W).

    Args:
        grad_output: Gradient with respect to the output, (N, C, bins, bins).
        rois: As in the forward pass.
        argmax_y: As the forward pass wrote it.
        argmax_x: As the forward pass wrote it.
        grad_input: Zeros; overwritten.
        aligned_height: As in the forward pass.
        aligned_width: As in the forward pass.
        spatial_scale: As in the forward pass.
        sampling_ratio: As in the forward pass.
        pool_mode: As in the forward pass.
        aligned: As in the forward pass.
    """
    if pool_mode == MAX:
        roi_max_backward(grad_output, rois, argmax_y, argmax_x, grad_input)
        return
    grad_input.copy_(
        torch.ops.torchvision._roi_align_backward(
            grad_output,
            rois,
            spatial_scale,
            aligned_height,
            aligned_width,
            *grad_input.shape,
            sampling_ratio,
            aligned,
        )
    )


def _check(input: Tensor, rois: Tensor, pool_mode: int, aligned: bool) -> None:
    if torch.bfloat16 in (input.dtype, rois.dtype):
        raise TypeError(
            'roi_align got bfloat16, whose 8 bits move the corners of a region by pixels; expected '
            "float32 or float16: train a detector with optim_wrapper.type='AmpOptimWrapper' and "
            'its default dtype, or without mixed precision.'
        )
    if pool_mode not in (MAX, AVERAGE):
        raise ValueError(f'pool_mode is {pool_mode}; expected 0 (max) or 1 (average).')
    if aligned and not rois.is_cuda and bool((rois[:, 3:] < rois[:, 1:3]).any()):
        worst = rois[(rois[:, 3:] < rois[:, 1:3]).any(dim=1)][0].tolist()
        raise ValueError(f'a region has negative size: {worst}; expected (index, x1, y1, x2, y2).')
