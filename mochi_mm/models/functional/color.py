"""Color spaces whose channels separate lightness from color."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import torch
from torch import Tensor

# sRGB primaries to CIE XYZ, and the white of D65 seen by the 2 degree observer.
_XYZ = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
_WHITE = (0.95047, 1.0, 1.08883)
# ITU-R BT.601, for RGB in [0, 1]; luma from 16 to 235, color differences from 16 to 240.
_YCBCR = ((65.481, 128.553, 24.966), (-37.797, -74.203, 112.0), (112.0, -93.786, -18.214))
_YCBCR_OFFSET = (16.0, 128.0, 128.0)


def rgb_to_lab(images: Tensor) -> Tensor:
    """Return CIE L*a*b* (D65): L in [0, 100], a and b around 0.

    Args:
        images: (B, 3, H, W) sRGB in gray levels, 0 to 255.
    """
    rgb = images / 255
    linear = torch.where(rgb > 0.04045, ((rgb + 0.055) / 1.055).clamp_min(0) ** 2.4, rgb / 12.92)
    xyz = _mix(_XYZ, linear) / _constant(_WHITE, images.dtype, images.device)[:, None, None]
    f = torch.where(xyz > 0.008856, xyz.clamp_min(1e-12) ** (1 / 3), 7.787 * xyz + 16 / 116)
    x, y, z = f.unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def rgb_to_ycbcr(images: Tensor) -> Tensor:
    """Return Y'CbCr (ITU-R BT.601): Y from 16 to 235, Cb and Cr from 16 to 240, gray at 128.

    Args:
        images: (B, 3, H, W) sRGB in gray levels, 0 to 255.
    """
    offset = _constant(_YCBCR_OFFSET, images.dtype, images.device)[:, None, None]
    return _mix(_YCBCR, images / 255) + offset


def _mix(matrix: tuple[tuple[float, ...], ...], images: Tensor) -> Tensor:
    weights = _constant(matrix, images.dtype, images.device)
    return torch.einsum('ij,bjhw->bihw', weights, images)  # (B, 3, H, W)


@cache  # copied to each device once: a copy of host values waits for all that the device has to do
def _constant(values: Sequence[object], dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):
        return torch.tensor(values, dtype=dtype, device=device)


CONVERSIONS: dict[str, Callable[[Tensor], Tensor]] = dict(lab=rgb_to_lab, ycbcr=rgb_to_ycbcr)
