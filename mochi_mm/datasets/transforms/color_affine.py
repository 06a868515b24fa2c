"""Brightness, contrast, saturation, hue and gray as one linear map of a pixel and the mean pixel.

Every one of them is linear in the pixel x and, for contrast, in the image's mean m, so a chain is
``A x + C m`` with two 3x3 matrices; so are brightness and contrast of each channel by itself, for
any number of channels. Two things differ from doing them one by one on 8-bit images:
values are clipped to 0..255 once, at the end, and the hue turns about the gray axis where HSV moves
along a hexagon. ``docs/numerics.md`` says by how much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

#: Share of red, green and blue in gray (ITU-R 601, as in PIL).
LUMA = np.array([0.299, 0.587, 0.114])
#: A factor for each channel.
ChannelFactors = tuple[float, ...]


def hue_rotation(shift: float) -> np.ndarray:
    """Return the 3x3 rotation about the gray axis by ``shift`` of the color circle."""
    angle = 2 * math.pi * shift
    third = (1 - math.cos(angle)) / 3
    part = math.sin(angle) / math.sqrt(3)
    same, after, before = math.cos(angle) + third, third - part, third + part
    return np.array([[same, after, before], [before, same, after], [after, before, same]])


def color_affine(
    operations: Sequence[tuple[str, Any]], gray: bool = False, channels: int = 3
) -> tuple[np.ndarray, np.ndarray]:
    """Return A and C, (channels, channels) each, so that the chain of operations is ``A x + C m``.

    Args:
        operations: (name, factor) in the order of application, as ``ColorJitter.draw`` gives them,
            or (name, factors) as ``ChannelJitter.draw`` does.
        gray: Whether the image is made gray after them.
        channels: Of the image; 3 for all but the operations of single channels.
    """
    # A and C side by side, (channels, 2 channels): all that acts on a color acts on both.
    both = np.hstack([np.eye(channels), np.zeros((channels, channels))])
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
        elif name == 'channel_brightness':
            both *= np.array(factor)[:, None]
        elif name == 'channel_contrast':
            scale = np.array(factor)[:, None]
            mean = both[:, :channels] + both[:, channels:]
            both *= scale
            both[:, channels:] += (1 - scale) * mean
        else:
            raise ValueError(
                f'no linear form of {name!r}; expected brightness, contrast, saturation or hue, '
                'or channel_brightness or channel_contrast.'
            )
    if gray:
        both[:] = LUMA @ both
    return both[:, :channels], both[:, channels:]
