"""Random loss of color."""

from __future__ import annotations

from typing import Any

from torchvision.transforms import functional as F

from mochi_mm.datasets.transforms.checks import probability
from mochi_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomGrayscale:
    """Make the image gray (three equal channels).

    Args:
        prob: Probability that the image is changed.
    """

    def __init__(self, prob: float = 0.2) -> None:
        self.prob = probability(prob)

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace ``img`` by its gray version, with probability ``prob``."""
        if results['rng'].random() < self.prob:
            results['img'] = F.rgb_to_grayscale(results['img'], num_output_channels=3)
        return results

    def __repr__(self) -> str:
        return f'RandomGrayscale(prob={self.prob})'
