"""From the pixels of an image to the planes of a tensor."""

from __future__ import annotations

import cv2
import numpy as np
import torch


def planes_of(pixels: np.ndarray) -> torch.Tensor:
    """Return an image (H, W, C) as a contiguous tensor (C, H, W) of the same type."""
    if pixels.shape[2] == 3 and pixels.dtype == np.uint8:
        planes = np.empty((3, *pixels.shape[:2]), np.uint8)
        cv2.split(pixels, [planes[0], planes[1], planes[2]])
        return torch.from_numpy(planes)
    return torch.from_numpy(np.moveaxis(pixels, 2, 0).copy())
