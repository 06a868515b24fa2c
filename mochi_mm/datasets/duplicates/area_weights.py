"""Averaging the pixels of a side over even parts of a window."""

from __future__ import annotations

import numpy as np


def area_weights(side: int, parts: int, before: float, after: float) -> np.ndarray:
    """Return (side, parts) float32 shares of the pixels of a side in even parts of a window.

    Args:
        side: Pixels.
        parts: Parts that the window is cut into.
        before: Pixels in front of the window.
        after: Pixels behind it.

    >>> area_weights(4, 2, 1, 0).T.tolist()[0]
    [0.0, 0.6666666865348816, 0.3333333432674408, 0.0]
    """
    edges = np.linspace(before, side - after, parts + 1)
    pixel = np.arange(side)[:, None]
    overlap = np.minimum(edges[1:], pixel + 1) - np.maximum(edges[:-1], pixel)
    return (overlap.clip(0) / (edges[1:] - edges[:-1])).astype(np.float32)
