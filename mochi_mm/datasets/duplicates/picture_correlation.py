"""How alike two pictures are, whatever their brightness and a little of their margins."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mochi_mm.datasets.duplicates.area_weights import area_weights

_SIDE = 16
#: Pictures whose gray levels differ by no more than this on average are one.
_EQUAL = 1.5
# Margins that a copy may have lost, in parts of the side: left and right, top and bottom.
_COARSE = tuple(product((0.0, 1 / 16), repeat=4))
_FINE = tuple(product((0.0, 1 / 32, 1 / 16), repeat=4))
# What no coarse window brings so far, no fine one brings near 1.
_HOPELESS = 0.8


@torch.no_grad()
def picture_correlation(thumbnails: np.ndarray, pairs: np.ndarray, chunk: int = 256) -> np.ndarray:
    """Return the correlation (P,) float32 of the pixels of pairs of pictures, in [-1, 1].

    The largest over the windows of either picture that have lost up to a sixteenth at each side,
    squeezed to 16 x 16 pixels, against the other whole one; channels together, the mean of each
    taken away. Windows are tried in steps of a 32nd where those in steps of a 16th reach 0.8. A
    picture without contrast correlates with none but with one that it equals.

    Args:
        thumbnails: (M, 32, 32, 3) uint8.
        pairs: (P, 2) numbers of pictures.
        chunk: Pairs compared at a time.
    """
    parts = []
    for start in range(0, len(pairs), chunk):
        a, b = (_images(thumbnails[side]) for side in pairs[start : start + chunk].T)
        best = _over_windows(a, b, _COARSE)
        hopeful = best >= _HOPELESS
        best[hopeful] = _over_windows(a[hopeful], b[hopeful], _FINE)
        equal = (a - b).abs().mean((1, 2, 3)) <= _EQUAL
        parts.append(torch.where(equal, 1.0, best))
    return torch.cat(parts).numpy() if parts else np.zeros(0, dtype=np.float32)


def _images(rows: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(rows)).permute(0, 3, 1, 2).float()


def _over_windows(a: Tensor, b: Tensor, margins: Sequence[tuple[float, ...]]) -> Tensor:
    """Return (P,) the largest correlation of a window of one picture with all of the other."""
    best = a.new_full((len(a),), -1.0)
    for whole, cropped in ((a, b), (b, a)):
        target = _standardized(F.adaptive_avg_pool2d(cropped, _SIDE))
        for left, right, top, bottom in margins:
            window = _standardized(_window(whole, left, right, top, bottom))
            best = torch.maximum(best, (window * target).sum(1))
    return best


def _window(images: Tensor, left: float, right: float, top: float, bottom: float) -> Tensor:
    """Return what is left of (P, 3, H, W) images without their margins, at 16 x 16 pixels."""
    height, width = images.shape[2:]
    down = area_weights(height, _SIDE, top * height, bottom * height)  # (H, 16)
    across = area_weights(width, _SIDE, left * width, right * width)  # (W, 16)
    return torch.einsum(
        'pchw,hy,wx->pcyx', images, torch.from_numpy(down), torch.from_numpy(across)
    )


def _standardized(images: Tensor) -> Tensor:
    """Return (P, C) rows without the mean of each channel, of length 1 where there is contrast."""
    rows = (images - images.mean((2, 3), keepdim=True)).flatten(1)
    # A contrast below a gray level is noise, and weighs less.
    return rows / rows.norm(dim=1, keepdim=True).clamp_min(rows.shape[1] ** 0.5)
