"""Mean and standard deviation of each channel, over all pixels of many images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mochi_mm.datasets.image_reader import ImageReader


@dataclass(frozen=True)
class ChannelStatistics:
    """Statistics of pixels in gray levels, which can be joined with those of others.

    Attributes:
        images: Number of images.
        pixels: Number of pixels.
        mean: (C,) float64.
        squares: (C,) float64, sum of the squared differences from the mean.
        smallest: (C,) smallest level.
        largest: (C,) largest level.

    >>> import numpy as np
    >>> black, white = np.zeros((1, 3, 1), np.uint8), np.full((1, 1, 1), 255, np.uint8)
    >>> both = ChannelStatistics.of(black).joined(ChannelStatistics.of(white))
    >>> both.images, both.mean.tolist(), both.std.round(3).tolist()
    (2, [63.75], [110.418])
    """

    images: int
    pixels: int
    mean: np.ndarray
    squares: np.ndarray
    smallest: np.ndarray
    largest: np.ndarray

    @classmethod
    def of(cls, pixels: np.ndarray) -> ChannelStatistics:
        """Return the statistics of one image (H, W, C)."""
        levels = pixels.reshape(-1, pixels.shape[2]).astype(np.float64)
        mean = levels.mean(0)
        squares = ((levels - mean) ** 2).sum(0)
        return cls(1, len(levels), mean, squares, levels.min(0), levels.max(0))

    def joined(self, other: ChannelStatistics) -> ChannelStatistics:
        """Return the statistics of both together (Chan et al. 1983, without cancellation)."""
        pixels = self.pixels + other.pixels
        step = other.mean - self.mean
        return ChannelStatistics(
            self.images + other.images,
            pixels,
            self.mean + step * (other.pixels / pixels),
            self.squares + other.squares + step**2 * (self.pixels * other.pixels / pixels),
            np.minimum(self.smallest, other.smallest),
            np.maximum(self.largest, other.largest),
        )

    @property
    def std(self) -> np.ndarray:
        """Return the standard deviation of each channel, (C,), over all pixels."""
        return np.sqrt(self.squares / self.pixels)


def statistics_of(reader: ImageReader, path: str) -> ChannelStatistics:
    """Return the statistics of one file; raises as the reader does."""
    return ChannelStatistics.of(np.asarray(reader.image(path)))
