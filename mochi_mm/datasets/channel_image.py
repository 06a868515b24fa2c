"""Images of any number of channels, which PIL has no mode for."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageFilter

#: Channels that OpenCV filters in one call; it takes 128 at most.
_AT_ONCE = 64


class ChannelImage:
    """An image (H, W, C) in gray levels, with what transforms need of it.

    Resizing and blurring treat each channel as PIL treats a channel of an RGB image: three 8-bit
    channels give the same pixels here and there. Blur of float pixels, which PIL does not have, is
    the Gaussian itself.

    Args:
        pixels: uint8, or float32 from 0 to 255 for files of more than 8 bits.

    Raises:
        ValueError: Another shape or type.

    >>> import numpy as np
    >>> image = ChannelImage(np.zeros((48, 64, 5), np.uint8))
    >>> image.size, image.channels, image.resized((24, 32), 'BILINEAR').size
    ((64, 48), 5, (32, 24))
    """

    def __init__(self, pixels: np.ndarray) -> None:
        if pixels.ndim != 3 or not pixels.size or pixels.dtype not in (np.uint8, np.float32):
            raise ValueError(
                f'pixels are {pixels.dtype} of the shape {pixels.shape}; expected (H, W, C), uint8 '
                'or float32 in gray levels.'
            )
        self.pixels = pixels

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Return the pixels, (H, W, C)."""
        return np.array(self.pixels, dtype, copy=copy)

    @property
    def height(self) -> int:
        """Return the number of rows."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Return the number of columns."""
        return int(self.pixels.shape[1])

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height), as PIL does."""
        return self.width, self.height

    @property
    def channels(self) -> int:
        """Return C."""
        return int(self.pixels.shape[2])

    def convert(self, mode: str = 'RGB') -> Image.Image:
        """Return a picture for people: the first three channels, or the first one as gray.

        Args:
            mode: RGB.
        """
        shown = self.pixels[..., :3] if self.channels >= 3 else self.pixels[..., [0, 0, 0]]
        return Image.fromarray(np.ascontiguousarray(shown.round().astype(np.uint8))).convert(mode)

    def cropped(self, top: int, left: int, height: int, width: int) -> ChannelImage:
        """Return a box of the image."""
        return ChannelImage(self.pixels[top : top + height, left : left + width])

    def resized(self, size: tuple[int, int], interpolation: str) -> ChannelImage:
        """Return the image in another size.

        Args:
            size: (height, width).
            interpolation: Name of one of PIL's filters, such as BILINEAR.
        """
        if size == (self.height, self.width):
            return self
        method = Image.Resampling[interpolation]
        bands = [np.asarray(band.resize(size[::-1], method)) for band in self._bands()]
        return ChannelImage(_in_range(np.stack(bands, -1)))  # a cubic leaves the range

    def blurred(self, sigma: float) -> ChannelImage:
        """Return the image under a Gaussian of that standard deviation, edges repeated."""
        if self.pixels.dtype == np.uint8:
            kernel = ImageFilter.GaussianBlur(radius=sigma)
            bands = [np.asarray(band.filter(kernel)) for band in self._bands()]
            return ChannelImage(np.stack(bands, -1))
        return ChannelImage(gaussian(self.pixels, sigma, reach=4))

    def padded(self, width: int, level: int) -> ChannelImage:
        """Return the image with ``width`` pixels of a gray level on each side."""
        sides = ((width, width), (width, width), (0, 0))
        return ChannelImage(np.pad(self.pixels, sides, constant_values=level))

    def flipped(self) -> ChannelImage:
        """Return the mirror image, left to right."""
        return ChannelImage(self.pixels[:, ::-1])

    def solarized(self, threshold: int) -> ChannelImage:
        """Return the image with every level at or above ``threshold`` inverted."""
        return ChannelImage(np.where(self.pixels >= threshold, 255 - self.pixels, self.pixels))

    def filled(self, top: int, left: int, values: np.ndarray) -> ChannelImage:
        """Return a copy with ``values`` (h, w, 1 or C), in gray levels, in the place of a box."""
        pixels = self.pixels.copy()
        height, width = values.shape[:2]
        pixels[top : top + height, left : left + width] = _of_type(values, pixels.dtype)
        return ChannelImage(pixels)

    def mixed(self, of_pixel: np.ndarray, of_mean: np.ndarray) -> ChannelImage:
        """Return ``A x + C m`` for every pixel x, with the mean pixel m."""
        return ChannelImage(mix_channels(self.pixels, of_pixel, of_mean))

    def _bands(self) -> list[Image.Image]:
        planes = np.moveaxis(self.pixels, 2, 0)
        return [Image.fromarray(np.ascontiguousarray(plane)) for plane in planes]


def mix_channels(pixels: np.ndarray, of_pixel: np.ndarray, of_mean: np.ndarray) -> np.ndarray:
    """Return ``A x + C m`` for every pixel x of an image with the mean pixel m, within 0 to 255.

    Args:
        pixels: (H, W, C) uint8 or float32.
        of_pixel: (C, C), A.
        of_mean: (C, C), C.

    Returns:
        The same shape and type; uint8 is rounded.
    """
    levels = pixels.reshape(-1, pixels.shape[2])  # (H W, C)
    offset = of_mean @ levels.mean(0, dtype=np.float64)
    mixed = levels.astype(np.float32) @ of_pixel.T.astype(np.float32) + offset.astype(np.float32)
    return _of_type(mixed, pixels.dtype).reshape(pixels.shape)


def gaussian(pixels: np.ndarray, sigma: float, reach: float = 2.5) -> np.ndarray:
    """Return pixels (H, W, C) under a Gaussian cut off at ``reach`` deviations, edges repeated."""
    kernel = cv2.getGaussianKernel(2 * math.ceil(reach * sigma) + 1, sigma)
    parts = [
        cv2.sepFilter2D(part, -1, kernel, kernel, borderType=cv2.BORDER_REPLICATE)
        for part in np.split(pixels, range(_AT_ONCE, pixels.shape[2], _AT_ONCE), axis=2)
    ]
    return np.dstack(parts)  # a single channel comes without its dimension


def _of_type(levels: np.ndarray, dtype: Any) -> np.ndarray:
    levels = np.clip(levels, 0, 255)
    return levels.round().astype(np.uint8) if dtype == np.uint8 else levels.astype(np.float32)


def _in_range(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.dtype == np.uint8 else np.clip(pixels, 0, 255)
