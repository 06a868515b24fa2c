"""Random brightness, contrast, saturation and hue."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from torchvision.transforms import functional as F

from mochi_mm.datasets.channel_image import ChannelImage
from mochi_mm.datasets.transforms.checks import check_rgb, factors, interval, probability
from mochi_mm.datasets.transforms.color_affine import color_affine
from mochi_mm.registry import TRANSFORMS

_OPERATIONS = ('brightness', 'contrast', 'saturation', 'hue')
_ORDERS = tuple(itertools.permutations(_OPERATIONS))
_ADJUST = dict(
    brightness=F.adjust_brightness,
    contrast=F.adjust_contrast,
    saturation=F.adjust_saturation,
    hue=F.adjust_hue,
)


@TRANSFORMS.register_module()
class ColorJitter:
    """Change brightness, contrast, saturation and hue by random factors, in random order.

    Each factor is uniform, the semantics are those of ``torchvision.transforms.ColorJitter``.

    Args:
        brightness: A number v >= 0 for factors in [max(0, 1 - v), 1 + v], or (smallest, largest).
            1 leaves the image as it is; the number 0 leaves the operation out.
        contrast: As ``brightness``.
        saturation: As ``brightness``.
        hue: A number v in [0, 0.5] for shifts in [-v, v] of the color circle, or
            (smallest, largest).
        prob: Probability that the image is changed at all.

    Raises:
        ValueError: A factor or probability out of range; an image that is not of three channels,
            for which there is ``ChannelJitter``.
    """

    only_rgb = True

    def __init__(
        self,
        brightness: Any = 0,
        contrast: Any = 0,
        saturation: Any = 0,
        hue: Any = 0,
        prob: float = 0.8,
    ) -> None:
        given = dict(brightness=brightness, contrast=contrast, saturation=saturation)
        self.ranges = {name: factors(value, name) for name, value in given.items()}
        if isinstance(hue, (int, float)):
            hue = (-hue, hue)
        self.ranges['hue'] = interval(hue, 'hue', -0.5, 0.5)
        neutral = dict.fromkeys(given, (1.0, 1.0)) | dict(hue=(0.0, 0.0))
        self._active = {name: span for name, span in self.ranges.items() if span != neutral[name]}
        self.prob = probability(prob)

    def draw(self, rng: np.random.Generator) -> list[tuple[str, float]]:
        """Return (operation, factor) in the order in which they are applied."""
        order = _ORDERS[int(rng.random() * len(_ORDERS))]
        plan = []
        for name in order:
            if name in self._active:
                low, high = self._active[name]
                plan.append((name, low + (high - low) * rng.random()))
        return plan

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace ``img`` by its jittered version, with probability ``prob``."""
        rng, image = results['rng'], results['img']
        if isinstance(image, ChannelImage):
            check_rgb(image.channels, type(self).__name__)
        if rng.random() < self.prob:
            for name, factor in self.draw(rng):
                if isinstance(image, ChannelImage):
                    image = image.mixed(*color_affine([(name, factor)]))
                else:
                    image = _ADJUST[name](image, factor)
            results['img'] = image
        return results

    def __repr__(self) -> str:
        ranges = ', '.join(f'{name}={span}' for name, span in self.ranges.items())
        return f'ColorJitter({ranges}, prob={self.prob})'
