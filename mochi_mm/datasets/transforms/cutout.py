"""A hole in the image (DeVries and Taylor 2017)."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import ImageDraw

from mochi_mm.argument_kinds import is_integer
from mochi_mm.datasets.channel_image import ChannelImage
from mochi_mm.datasets.transforms.checks import gray_level
from mochi_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class Cutout:
    """Fill a square whose center is any pixel of the image, as likely; what hangs over is cut.

    Source: DeVries and Taylor, Improved Regularization of Convolutional Neural Networks with
    Cutout, 2017.

    Args:
        length: Side of the square, pixels; 16 for CIFAR-10, 8 for CIFAR-100 in the paper.
        fill: Gray level, 0 to 255, of the square.

    Raises:
        ValueError: A length below 1, or a level out of range.
    """

    def __init__(self, length: int = 16, fill: int = 0) -> None:
        if not is_integer(length) or length < 1:
            raise ValueError(f'length is {length!r}; expected pixels, an integer >= 1.')
        self.length, self.fill = length, gray_level(fill, 'fill')

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace ``img`` by a copy with a hole."""
        image, rng = results['img'], results['rng']
        top = int(rng.integers(image.height)) - self.length // 2
        left = int(rng.integers(image.width)) - self.length // 2
        if isinstance(image, ChannelImage):
            first, start = max(0, top), max(0, left)
            rows = min(image.height, top + self.length) - first
            columns = min(image.width, left + self.length) - start
            hole = np.full((rows, columns, 1), float(self.fill))
            results['img'] = image.filled(first, start, hole)
            return results
        image = image.copy()
        box = (left, top, left + self.length - 1, top + self.length - 1)  # both ends are filled
        ImageDraw.Draw(image).rectangle(box, fill=(self.fill,) * 3)
        results['img'] = image
        return results

    def __repr__(self) -> str:
        return f'Cutout(length={self.length}, fill={self.fill})'
