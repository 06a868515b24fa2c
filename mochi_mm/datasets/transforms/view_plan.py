"""Parameters of one view, drawn before any pixel is touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mochi_mm.datasets.transforms.channel_jitter import ChannelJitter
from mochi_mm.datasets.transforms.checks import check_rgb
from mochi_mm.datasets.transforms.color_jitter import ColorJitter
from mochi_mm.datasets.transforms.compose import Compose
from mochi_mm.datasets.transforms.gaussian_blur import GaussianBlur
from mochi_mm.datasets.transforms.random_flip import RandomFlip
from mochi_mm.datasets.transforms.random_grayscale import RandomGrayscale
from mochi_mm.datasets.transforms.random_resized_crop import RandomResizedCrop

_ORDER = (
    RandomResizedCrop,
    ColorJitter,
    ChannelJitter,
    RandomGrayscale,
    GaussianBlur,
    RandomFlip,
)


@dataclass(frozen=True)
class ViewPlan:
    """The parameters of one view.

    Attributes:
        box: (top, left, height, width) of the crop.
        colors: (operation, factor) in order, or a factor for each channel; empty for none.
        gray: Whether it loses its color.
        sigma: Standard deviation of the blur in pixels, 0 for none.
        flip: Whether it is mirrored.
    """

    box: tuple[int, int, int, int]
    colors: list[tuple[str, Any]]
    gray: bool
    sigma: float
    flip: bool


class ViewRecipe:
    """A list of transforms, read as one recipe whose parameters can be drawn at once.

    It draws from the generator what the transforms would draw one by one, so that the exact recipe
    and a fast one give the same view for the same sample key.

    Args:
        transforms: ``RandomResizedCrop``, then any of ``ColorJitter``, ``ChannelJitter``,
            ``RandomGrayscale``, ``GaussianBlur`` and ``RandomFlip`` in this order, as configs or
            objects.

    Raises:
        ValueError: Another transform, or another order.
    """

    def __init__(self, transforms: Sequence[Any]) -> None:
        built = Compose(transforms).transforms
        kinds = [type(transform) for transform in built]
        if (
            not kinds
            or kinds[0] is not RandomResizedCrop
            or kinds != [kind for kind in _ORDER if kind in kinds]
        ):
            raise ValueError(
                f'the fast recipes know {", ".join(kind.__name__ for kind in _ORDER)}, in this '
                f'order, the first of them always; got {[kind.__name__ for kind in kinds]}. Use '
                "type='MultiView', which takes any transforms."
            )
        by_kind: dict[type, Any] = {type(transform): transform for transform in built}
        self.crop: RandomResizedCrop = by_kind[RandomResizedCrop]
        self._jitter: ColorJitter | None = by_kind.get(ColorJitter)
        self._channels: ChannelJitter | None = by_kind.get(ChannelJitter)
        self._gray: RandomGrayscale | None = by_kind.get(RandomGrayscale)
        self.blur: GaussianBlur | None = by_kind.get(GaussianBlur)
        self._flip: RandomFlip | None = by_kind.get(RandomFlip)
        if self.crop.interpolation.value != 'bilinear':
            raise ValueError(
                f'the fast recipes resize bilinearly, got interpolation='
                f"{self.crop.interpolation.value!r}; use type='MultiView'."
            )

    def draw(
        self, width: int, height: int, rng: np.random.Generator, channels: int = 3
    ) -> ViewPlan:
        """Return the parameters of one view of an image of that size.

        Raises:
            ValueError: Colors are to be changed where there are none.
        """
        for transform in (self._jitter, self._gray) if channels != 3 else ():
            if transform is not None:
                check_rgb(channels, type(transform).__name__)
        box = self.crop.draw(width, height, rng)
        colors: list[tuple[str, Any]] = []
        if self._jitter is not None and rng.random() < self._jitter.prob:
            colors += self._jitter.draw(rng)
        if self._channels is not None and rng.random() < self._channels.prob:
            colors += self._channels.draw(rng, channels)
        gray = self._gray is not None and rng.random() < self._gray.prob
        sigma = 0.0
        if self.blur is not None and rng.random() < self.blur.prob:
            low, high = self.blur.sigma
            sigma = low + (high - low) * rng.random()
        flip = self._flip is not None and rng.random() < self._flip.prob
        return ViewPlan(box, colors, gray, sigma, flip)
