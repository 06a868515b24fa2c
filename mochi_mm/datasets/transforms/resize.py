"""Resize to a given size."""

from __future__ import annotations

from typing import Any

from torchvision.transforms import functional as F

from mochi_mm.datasets.transforms.checks import interpolation_mode, pixels
from mochi_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class Resize:
    """Resize the image.

    Args:
        size: Pixels of the short side (the shape is kept), or (height, width).
        interpolation: 'nearest', 'bilinear', 'bicubic', 'box', 'hamming' or 'lanczos'; PIL's, which
            filter when they shrink.
    """

    def __init__(self, size: Any, interpolation: str = 'bilinear') -> None:
        self.size = pixels(size)
        self.interpolation = interpolation_mode(interpolation)

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace ``img`` by its resized version."""
        results['img'] = F.resize(results['img'], self.size, self.interpolation)
        return results

    def __repr__(self) -> str:
        return f'Resize(size={self.size}, interpolation={self.interpolation.value!r})'
