"""Crop of a fixed size out of the padded image."""

from __future__ import annotations

from typing import Any

from torchvision.transforms import functional as F

from mochi_mm.argument_kinds import is_integer
from mochi_mm.datasets.channel_image import ChannelImage
from mochi_mm.datasets.transforms.checks import gray_level, height_width
from mochi_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomCrop:
    """Pad the image on all sides and cut a box of ``size`` out of it, every place as likely.

    With 4 pixels of padding, the augmentation of supervised training on CIFAR.

    Args:
        size: Pixels of the result, an int for a square or (height, width).
        padding: Pixels added on each side.
        fill: Gray level, 0 to 255, of the padding.

    Raises:
        ValueError: A setting out of range; an image that is smaller than the box when padded.
    """

    def __init__(self, size: Any, padding: int = 0, fill: int = 0) -> None:
        self.size = height_width(size)
        if not is_integer(padding) or padding < 0:
            raise ValueError(f'padding is {padding!r}; expected pixels, an integer >= 0.')
        self.padding, self.fill = padding, gray_level(fill, 'fill')

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace ``img`` by a crop."""
        image = results['img']
        bands = isinstance(image, ChannelImage)
        if bands:
            image = image.padded(self.padding, self.fill)
        else:
            image = F.pad(image, [self.padding], fill=self.fill)
        height, width = self.size
        if image.height < height or image.width < width:
            raise ValueError(
                f'an image of {image.width} x {image.height} with padding={self.padding} holds no '
                f'crop of {width} x {height}; expected a smaller size or more padding.'
            )
        rng = results['rng']
        top = int(rng.integers(image.height - height + 1))
        left = int(rng.integers(image.width - width + 1))
        box = top, left, height, width
        results['img'] = image.cropped(*box) if bands else F.crop(image, *box)
        return results

    def __repr__(self) -> str:
        return f'RandomCrop(size={self.size}, padding={self.padding}, fill={self.fill})'
