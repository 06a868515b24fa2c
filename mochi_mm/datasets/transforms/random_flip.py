"""Random mirror image."""

from __future__ import annotations

from typing import Any

from torchvision.transforms import functional as F

from mochi_mm.datasets.channel_image import ChannelImage
from mochi_mm.datasets.transforms.checks import probability
from mochi_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomFlip:
    """Mirror the image left to right.

    Args:
        prob: Probability that the image is changed.
    """

    def __init__(self, prob: float = 0.5) -> None:
        self.prob = probability(prob)

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace ``img`` by its mirror image, with probability ``prob``."""
        if results['rng'].random() < self.prob:
            image = results['img']
            bands = isinstance(image, ChannelImage)
            results['img'] = image.flipped() if bands else F.hflip(image)
        return results

    def __repr__(self) -> str:
        return f'RandomFlip(prob={self.prob})'
