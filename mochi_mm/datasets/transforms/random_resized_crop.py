"""Crop of random area and shape, resized."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from torchvision.transforms import functional as F

from mochi_mm.datasets.channel_image import ChannelImage
from mochi_mm.datasets.transforms.checks import height_width, interpolation_mode, interval
from mochi_mm.datasets.transforms.drawn_box import drawn_size, scaled_box
from mochi_mm.registry import TRANSFORMS

_TRIES = 10


@TRANSFORMS.register_module()
class RandomResizedCrop:
    """Cut a random box out of the image and resize it to ``size``.

    The box covers a share of the area uniform in ``scale`` and has an aspect ratio log-uniform in
    ``ratio``; a box that does not fit is drawn again, ten times at most, then the largest
    centered box of allowed ratio is taken (the rule of torchvision's transform of that name).

    Args:
        size: Pixels of the result, an int for a square or (height, width).
        scale: Smallest and largest share of the image's area, within (0, 1].
        ratio: Smallest and largest width / height of the box.
        interpolation: 'nearest', 'bilinear', 'bicubic', 'box', 'hamming' or 'lanczos'; PIL's, which
            filter when they shrink.
    """

    def __init__(
        self,
        size: Any,
        scale: Any = (0.2, 1.0),
        ratio: Any = (3 / 4, 4 / 3),
        interpolation: str = 'bilinear',
    ) -> None:
        self.size = height_width(size)
        self.scale = interval(scale, 'scale', 0, 1)
        self.ratio = interval(ratio, 'ratio', 0)
        for value, name in ((self.scale[0], 'scale'), (self.ratio[0], 'ratio')):
            if value == 0:
                raise ValueError(f'the smallest {name} must be above 0, got 0')
        self.interpolation = interpolation_mode(interpolation)
        self._log_ratio = (math.log(self.ratio[0]), math.log(self.ratio[1]))

    def draw(self, width: int, height: int, rng: np.random.Generator) -> tuple[int, int, int, int]:
        """Return the box (top, left, height, width) for an image of that size, in pixels."""
        area, (low, high) = width * height, self._log_ratio
        for _ in range(_TRIES):
            target = area * (self.scale[0] + (self.scale[1] - self.scale[0]) * rng.random())
            aspect = math.exp(low + (high - low) * rng.random())
            w = round(math.sqrt(target * aspect))
            h = round(math.sqrt(target / aspect))
            if 0 < w <= width and 0 < h <= height:
                top = int(rng.random() * (height - h + 1))
                return top, int(rng.random() * (width - w + 1)), h, w
        aspect = min(max(width / height, self.ratio[0]), self.ratio[1])
        w = max(1, min(width, round(height * aspect)))
        h = max(1, min(height, round(width / aspect)))
        return (height - h) // 2, (width - w) // 2, h, w

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace ``img`` by the crop."""
        image = results['img']
        size = drawn_size(results)
        box = scaled_box(self.draw(*size, results['rng']), size, image.size)
        if isinstance(image, ChannelImage):
            results['img'] = image.cropped(*box).resized(self.size, self.interpolation.name)
        else:
            results['img'] = F.resized_crop(image, *box, self.size, self.interpolation)
        return results

    def __repr__(self) -> str:
        return (
            f'RandomResizedCrop(size={self.size}, scale={self.scale}, ratio={self.ratio}, '
            f'interpolation={self.interpolation.value!r})'
        )
