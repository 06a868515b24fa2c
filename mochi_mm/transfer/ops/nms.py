"""Non-maximum suppression with mmcv's arguments, computed by torchvision."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import nms as torchvision_nms


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Return the indices of the boxes that are kept, highest score first.

    A box goes when its IoU with a kept box of higher score is above the threshold.

    Args:
        boxes: (N, 4), corners x1, y1, x2, y2.
        scores: (N,).
        iou_threshold: Threshold of the IoU, in the precision of the boxes, as mmcv compares it.
        offset: 1 where a box of corners (x, x) is one pixel wide, 0 where it has no width.

    Returns:
        int64 (M,). Boxes with the same score come in the order they stand in.
    """
    dtype = torch.promote_types(boxes.dtype, scores.dtype)
    corners = boxes.to(dtype)
    if offset:  # widths of x2 - x1 + 1 are those of boxes that end one pixel later
        corners = corners + corners.new_tensor([0, 0, offset, offset])
    threshold = torch.tensor(iou_threshold, dtype=dtype).item()
    return torchvision_nms(corners, scores.to(dtype), threshold)
