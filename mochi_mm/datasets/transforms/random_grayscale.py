"""Random loss of color."""

from __future__ import annotations

from typing import Any

from torchvision.transforms import functional as F

from mochi_mm.datasets.channel_image import ChannelImage
from mochi_mm.datasets.transforms.checks import check_rgb, probability
from mochi_mm.datasets.transforms.color_affine import color_affine
from mochi_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomGrayscale:
    """Make the image gray (three equal channels); it must have three, red, green and blue.

    Args:
        prob: Probability that the image is changed.

    Raises:
        ValueError: A probability out of range; an image that is not of three channels.
    """

    only_rgb = True

    def __init__(self, prob: float = 0.2) -> None:
        self.prob = probability(prob)

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace ``img`` by its gray version, with probability ``prob``."""
        image, bands = results['img'], isinstance(results['img'], ChannelImage)
        if bands:
            check_rgb(image.channels, type(self).__name__)
        if results['rng'].random() < self.prob:
            if bands:
                results['img'] = image.mixed(*color_affine([], gray=True))
            else:
                results['img'] = F.rgb_to_grayscale(image, num_output_channels=3)
        return results

    def __repr__(self) -> str:
        return f'RandomGrayscale(prob={self.prob})'
