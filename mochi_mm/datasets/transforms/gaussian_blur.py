"""Random blur."""

from __future__ import annotations

from typing import Any

from PIL import ImageFilter

from mochi_mm.datasets.channel_image import ChannelImage
from mochi_mm.datasets.transforms.checks import interval, probability
from mochi_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class GaussianBlur:
    """Blur the image with PIL's Gaussian filter, whose radius is the standard deviation.

    The same filter as in the authors' MoCo-v2 code (``ImageFilter.GaussianBlur(radius=sigma)``);
    ``torchvision.transforms.GaussianBlur`` truncates to a kernel and gives other pixels.

    Args:
        sigma: Smallest and largest standard deviation, in pixels; drawn uniformly.
        prob: Probability that the image is changed.
    """

    def __init__(self, sigma: Any = (0.1, 2.0), prob: float = 0.5) -> None:
        self.sigma = interval(sigma, 'sigma', 0)
        self.prob = probability(prob)

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace ``img`` by its blurred version, with probability ``prob``."""
        rng = results['rng']
        if rng.random() < self.prob:
            low, high = self.sigma
            radius = low + (high - low) * rng.random()
            image = results['img']
            if isinstance(image, ChannelImage):
                results['img'] = image.blurred(radius)
            else:
                results['img'] = image.filter(ImageFilter.GaussianBlur(radius=radius))
        return results

    def __repr__(self) -> str:
        return f'GaussianBlur(sigma={self.sigma}, prob={self.prob})'
