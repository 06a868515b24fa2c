"""The middle of the image."""

from __future__ import annotations

from typing import Any

from torchvision.transforms import functional as F

from mochi_mm.datasets.channel_image import ChannelImage
from mochi_mm.datasets.transforms.checks import height_width
from mochi_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class CenterCrop:
    """Cut the middle out of the image.

    Args:
        size: Pixels of the result, an int for a square or (height, width).

    Raises:
        ValueError: When called with an image smaller than ``size``.
    """

    def __init__(self, size: Any) -> None:
        self.size = height_width(size)

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace ``img`` by its middle."""
        image = results['img']
        if image.height < self.size[0] or image.width < self.size[1]:
            raise ValueError(
                f'CenterCrop to (height, width) {self.size} of a smaller image, '
                f'{(image.height, image.width)}. Put a Resize before it.'
            )
        if isinstance(image, ChannelImage):
            height, width = self.size
            top, left = round((image.height - height) / 2), round((image.width - width) / 2)
            results['img'] = image.cropped(top, left, height, width)
        else:
            results['img'] = F.center_crop(image, self.size)
        return results

    def __repr__(self) -> str:
        return f'CenterCrop(size={self.size})'
