"""Generated scenes of any number of channels and bits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mochi_mm.datasets.channel_image import ChannelImage
from mochi_mm.datasets.image_reader import ImageReader
from mochi_mm.datasets.shape_scenes import ShapeScenes
from mochi_mm.registry import DATASETS

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@DATASETS.register_module()
class ChannelShapeScenes(ShapeScenes):
    """Scenes of :class:`ShapeScenes` as a sensor with other channels than an eye sees them.

    Further channels show how far from gray a pixel is (largest less smallest of its colors), then
    the differences red and green, green and blue, blue and red; from the eighth on they come again.
    One channel is the gray of the scene, a second one its distance from gray. Stands for images
    that are no RGB photographs in examples and in ``--smoke``.

    Args:
        channels: Of each image.
        bits: Of each number: 8 give uint8, more float32, see
            :func:`mochi_mm.datasets.read_channels.read_channels`.
        num_scenes: See :class:`ShapeScenes`.
        split: See :class:`ShapeScenes`.
        image_size: See :class:`ShapeScenes`.
        seed: See :class:`ShapeScenes`.
        pipeline: Transforms.
        cache_dir: See :class:`ShapeScenes`; scenes are kept as RGB.

    Raises:
        ValueError: See :class:`ShapeScenes`; channels or bits out of range, a transform that such
            images do not have.

    >>> ChannelShapeScenes(channels=5, bits=16, num_scenes=10).image(0).pixels.shape
    (64, 64, 5)
    """

    def __init__(
        self,
        channels: int = 4,
        bits: int = 8,
        num_scenes: int = 4000,
        split: str = 'train',
        image_size: int = 64,
        seed: int = 0,
        pipeline: Sequence[Any] = (),
        cache_dir: str | Path | None = None,
    ) -> None:
        reader = ImageReader(channels, bits)
        self.channels, self.bits = reader.channels, reader.bits
        super().__init__(
            num_scenes, split, image_size, seed=seed, pipeline=pipeline, cache_dir=cache_dir
        )
        self.pipeline.check_channels(self.channels)

    def image(self, index: int) -> Any:
        """Return scene ``index``; RGB of 8 bits as PIL's."""
        levels = channels_of_rgb(np.asarray(super().image(index)), self.channels)
        if self.bits == 8:
            levels = levels.round().astype(np.uint8)
        rgb = (self.channels, self.bits) == (3, 8)
        return Image.fromarray(levels) if rgb else ChannelImage(levels)


def channels_of_rgb(pixels: np.ndarray, count: int) -> np.ndarray:
    """Return ``count`` channels (H, W, count) float32 in gray levels, of an RGB image (H, W, 3)."""
    colors = pixels.astype(np.float32)
    chroma = colors.max(2) - colors.min(2)
    if count < 3:
        return np.stack([colors @ _LUMA, chroma][:count], -1)
    differences = [abs(colors[..., i] - colors[..., (i + 1) % 3]) for i in range(3)]
    planes = [*np.moveaxis(colors, 2, 0), chroma, *differences]
    return np.stack([planes[i % len(planes)] for i in range(count)], -1)
