"""Random brightness and contrast of each channel by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from mochi_mm.datasets.channel_image import ChannelImage, mix_channels
from mochi_mm.datasets.transforms.checks import factors, probability
from mochi_mm.datasets.transforms.color_affine import ChannelFactors, color_affine
from mochi_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ChannelJitter:
    """Change brightness and contrast of every channel by random factors of its own.

    For images whose channels are no colors, where saturation and hue mean nothing and one channel
    may change without the others. Brightness b and contrast c make ``c b x + (1 - c) b m`` of a
    level x of a channel with the mean m, within 0 to 255; all factors are uniform. Takes any number
    of channels.

    Args:
        brightness: A number v >= 0 for factors in [max(0, 1 - v), 1 + v], or (smallest, largest).
            The number 0 leaves the operation out.
        contrast: As ``brightness``.
        prob: Probability that the image is changed at all.

    Raises:
        ValueError: A number out of range.

    >>> import numpy as np
    >>> from mochi_mm.datasets.channel_image import ChannelImage
    >>> image = ChannelImage(np.full((2, 2, 4), 100, np.uint8))
    >>> jitter = ChannelJitter(brightness=0.4, prob=1.0)
    >>> jitter(dict(img=image, rng=np.random.default_rng(0)))['img'].pixels[0, 0].tolist()
    [82, 63, 61, 125]
    """

    def __init__(self, brightness: Any = 0, contrast: Any = 0, prob: float = 0.8) -> None:
        self.ranges = dict(
            brightness=factors(brightness, 'brightness'), contrast=factors(contrast, 'contrast')
        )
        self._active = {name: span for name, span in self.ranges.items() if span != (1.0, 1.0)}
        self.prob = probability(prob)

    def draw(self, rng: np.random.Generator, channels: int) -> list[tuple[str, ChannelFactors]]:
        """Return (operation, a factor for each channel); their order makes no difference."""
        plan: list[tuple[str, ChannelFactors]] = []
        for name, (low, high) in self._active.items():
            drawn = low + (high - low) * rng.random(channels)
            plan.append((f'channel_{name}', tuple(drawn.tolist())))
        return plan

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace ``img`` by its jittered version, with probability ``prob``."""
        rng, image = results['rng'], results['img']
        if rng.random() >= self.prob:
            return results
        if isinstance(image, ChannelImage):
            plan = self.draw(rng, image.channels)
            results['img'] = image.mixed(*color_affine(plan, channels=image.channels))
        else:
            pixels = mix_channels(np.asarray(image), *color_affine(self.draw(rng, 3)))
            results['img'] = Image.fromarray(pixels)
        return results

    def __repr__(self) -> str:
        ranges = ', '.join(f'{name}={span}' for name, span in self.ranges.items())
        return f'ChannelJitter({ranges}, prob={self.prob})'
