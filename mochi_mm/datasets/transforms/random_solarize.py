"""Random inversion of bright pixels (Grill et al. 2020, BYOL)."""

from __future__ import annotations

from typing import Any

from torchvision.transforms import functional as F

from mochi_mm.datasets.channel_image import ChannelImage
from mochi_mm.datasets.transforms.checks import gray_level, probability
from mochi_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomSolarize:
    """Invert every gray level at or above ``threshold``.

    Args:
        prob: Probability that the image is changed.
        threshold: Gray level, 0 to 255.

    Raises:
        ValueError: A probability or threshold out of range.
    """

    def __init__(self, prob: float = 0.2, threshold: int = 128) -> None:
        self.prob = probability(prob)
        self.threshold = gray_level(threshold, 'threshold')

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace ``img`` by its solarized version, with probability ``prob``."""
        if results['rng'].random() < self.prob:
            image, level = results['img'], self.threshold
            bands = isinstance(image, ChannelImage)
            results['img'] = image.solarized(level) if bands else F.solarize(image, level)
        return results

    def __repr__(self) -> str:
        return f'RandomSolarize(prob={self.prob}, threshold={self.threshold})'
