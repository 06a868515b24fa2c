"""Boxes and masks over an image, with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def draw_detections(
    axis: Any,
    image: np.ndarray,
    boxes: np.ndarray,
    labels: Sequence[int],
    names: Sequence[str],
    masks: np.ndarray | None = None,
) -> None:
    """Draw an image, a box and a name for each object, and its mask if there is one.

    Args:
        axis: A matplotlib axis.
        image: (H, W, 3) uint8 RGB.
        boxes: (N, 4) x0, y0, x1, y1 in pixels; pixel k covers [k, k + 1).
        labels: N class numbers; they choose the colors.
        names: N texts.
        masks: (N, H, W) bool.
    """
    from matplotlib import colormaps
    from matplotlib.patches import Rectangle

    colors = [colormaps['tab10'](label % 10) for label in labels]
    shown = image.astype(np.float32) / 255
    if masks is not None:
        for mask, color in zip(masks, colors, strict=True):
            inside = np.asarray(mask, bool)
            shown[inside] = 0.5 * shown[inside] + 0.5 * np.asarray(color[:3], np.float32)
    height, width = image.shape[:2]
    axis.imshow(shown, extent=(0, width, height, 0), interpolation='nearest')
    for (x0, y0, x1, y1), name, color in zip(boxes, names, colors, strict=True):
        axis.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, color=color, lw=1.5))
        axis.text(
            x0,
            y0,
            name,
            fontsize=6,
            va='bottom',
            color='white',
            bbox=dict(facecolor=color, edgecolor='none', pad=0.6),
        )
    axis.set_axis_off()
