"""Random loss of a rectangle (Zhong et al. 2020, Random Erasing)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PIL import Image

from mochi_mm.datasets.channel_image import ChannelImage
from mochi_mm.datasets.transforms.checks import gray_level, interval, probability
from mochi_mm.registry import TRANSFORMS

_TRIES = 10
# Of ImageNet's colors, red, green, blue: noise of this kind is standard normal once normalized.
_MEAN = (123.675, 116.28, 103.53)
_STD = (58.395, 57.12, 57.375)


@TRANSFORMS.register_module()
class RandomErasing:
    """Fill a random rectangle with noise, or with one gray level.

    Its share of the image is uniform in ``area``, its height over its width log-uniform in
    ``ratio``; after ten draws that do not fit inside the image nothing is erased.

    Args:
        prob: Probability that the image is changed.
        area: Smallest and largest share of the image.
        ratio: Smallest and largest height over width.
        fill: ``noise``, normal around the mean of ImageNet's colors with their deviation, drawn for
            each pixel and channel, or a gray level, 0 to 255. In images that are no RGB
            photographs the mean and deviation are those of the channel in the image.

    Raises:
        ValueError: A number out of range.

    >>> import numpy as np
    >>> from PIL import Image
    >>> white = Image.new('RGB', (32, 32), (255, 255, 255))
    >>> erase = RandomErasing(prob=1.0, area=(0.25, 0.25), ratio=(1.0, 1.0), fill=0)
    >>> erased = erase(dict(img=white, rng=np.random.default_rng(0)))['img']
    >>> int((np.asarray(erased) == 0).all(axis=-1).sum())  # 16 x 16
    256
    """

    def __init__(
        self,
        prob: float = 0.2,
        area: tuple[float, float] = (0.02, 1 / 3),
        ratio: tuple[float, float] = (0.3, 10 / 3),
        fill: int | str = 'noise',
    ) -> None:
        self.prob = probability(prob)
        self.area = interval(area, 'area', 0, 1)
        self.ratio = interval(ratio, 'ratio', 0)
        if self.ratio[0] == 0 or self.area[0] == 0:
            raise ValueError(f'area {area!r} and ratio {ratio!r} must begin above 0')
        self.fill = fill if fill == 'noise' else gray_level(fill, 'fill')

    def draw(self, width: int, height: int, rng: np.random.Generator) -> tuple[int, ...] | None:
        """Return (top, left, height, width) of what is erased, None where nothing fits.

        Args:
            width: Width of the image, in pixels.
            height: Height of the image, in pixels.
            rng: Generator of the sample.
        """
        for _ in range(_TRIES):
            size = rng.uniform(*self.area) * width * height
            ratio = math.exp(rng.uniform(math.log(self.ratio[0]), math.log(self.ratio[1])))
            rows, columns = round(math.sqrt(size * ratio)), round(math.sqrt(size / ratio))
            if 0 < rows <= height and 0 < columns <= width:
                top, left = rng.integers(height - rows + 1), rng.integers(width - columns + 1)
                return int(top), int(left), rows, columns
        return None

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace ``img`` by its erased version, with probability ``prob``."""
        rng, image = results['rng'], results['img']
        if rng.random() >= self.prob:
            return results
        box = self.draw(image.width, image.height, rng)
        if box is not None and isinstance(image, ChannelImage):
            top, left, rows, columns = box
            results['img'] = image.filled(top, left, self._of_channels(image, rows, columns, rng))
        elif box is not None:
            top, left, rows, columns = box
            pixels = np.array(image.convert('RGB'))  # (H, W, 3), a copy
            pixels[top : top + rows, left : left + columns] = self._filling(rows, columns, rng)
            results['img'] = Image.fromarray(pixels)
        return results

    def _filling(self, rows: int, columns: int, rng: np.random.Generator) -> np.ndarray | int:
        if not isinstance(self.fill, str):
            return self.fill
        noise = np.array(_MEAN) + np.array(_STD) * rng.standard_normal((rows, columns, 3))
        return noise.round().clip(0, 255).astype(np.uint8)

    def _of_channels(
        self, image: ChannelImage, rows: int, columns: int, rng: np.random.Generator
    ) -> np.ndarray:
        if not isinstance(self.fill, str):
            return np.full((rows, columns, 1), float(self.fill))
        mean, std = (f(image.pixels, (0, 1), dtype=np.float64) for f in (np.mean, np.std))
        return mean + std * rng.standard_normal((rows, columns, image.channels))

    def __repr__(self) -> str:
        return (
            f'RandomErasing(prob={self.prob}, area={self.area}, ratio={self.ratio}, '
            f'fill={self.fill!r})'
        )
