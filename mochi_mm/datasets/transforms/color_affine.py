"""Brightness, contrast, saturation, hue and gray as one linear map of a pixel and the mean pixel.

Every one of them is linear in the pixel x and, for contrast, in the image's mean m, so a chain is
``A x + C m`` with two 3x3 matrices. Two things differ from doing them one by one on 8-bit images:
values are clipped to 0..255 once, at the end, and the hue turns about the gray axis where HSV moves
along a hexagon. ``docs/numerics.md`` says by how much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

#: Share of red, green and blue in gray (ITU-R 601, as in PIL).
LUMA = np.array([0.299, 0.587, 0.114])
_START = np.hstack([np.eye(3), np.zeros((3, 3))])


def hue_rotation(shift: float) -> np.ndarray:
    """Return the 3x3 rotation about the gray axis by ``shift`` of the color circle."""
    angle = 2 * math.pi * shift
    third = (1 - math.cos(angle)) / 3
    part = math.sin(angle) / math.sqrt(3)
    same, after, before = math.cos(angle) + third, third - part, third + part
    return np.array([[same, after, before], [before, same, after], [after, before, same]])


def color_affine(
    operations: Sequence[tuple[str, float]], gray: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return A and C, (3, 3) each, so that the chain of operations is ``A x + C m``.

    Args:
        operations: (name, factor) in the order of application, as ``ColorJitter.draw`` gives them.
        gray: Whether the image is made gray after them.
    """
    # A and C side by side, (3, 6): all that acts on a color acts on both.
    both = _START.copy()
    for name, factor in operations:
        if name == 'brightness':
            both *= factor
        elif name == 'contrast':
            gray_of_mean = LUMA @ both
            both *= factor
            both[:, 3:] += (1 - factor) * (gray_of_mean[:3] + gray_of_mean[3:])
        elif name == 'saturation':
            both = factor * both + (1 - factor) * (LUMA @ both)
        elif name == 'hue':
            both = hue_rotation(factor) @ both
        else:
            raise ValueError(
                f'no linear form of {name!r}; expected brightness, contrast, saturation or hue.'
            )
    if gray:
        both[:] = LUMA @ both
    return both[:, :3], both[:, 3:]
