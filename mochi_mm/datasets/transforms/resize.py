"""Resize to a given size."""

from __future__ import annotations

from typing import Any

from torchvision.transforms import functional as F

from mochi_mm.datasets.channel_image import ChannelImage
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
        image = results['img']
        if isinstance(image, ChannelImage):
            results['img'] = image.resized(self._size_of(image), self.interpolation.name)
        else:
            results['img'] = F.resize(image, self.size, self.interpolation)
        return results

    def _size_of(self, image: ChannelImage) -> tuple[int, int]:
        """Return (height, width) of the result, by torchvision's rule."""
        if not isinstance(self.size, int):
            return self.size
        short, long = sorted(image.size)
        longer = int(self.size * long / short)
        return (longer, self.size) if image.height > image.width else (self.size, longer)

    def __repr__(self) -> str:
        return f'Resize(size={self.size}, interpolation={self.interpolation.value!r})'
