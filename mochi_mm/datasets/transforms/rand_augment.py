"""Random operations of one strength (Cubuk et al. 2020, RandAugment)."""

from __future__ import annotations

from typing import Any

from torchvision.transforms import RandAugment as TorchVisionRandAugment

from mochi_mm.datasets.transforms.checks import check_photograph, gray_level
from mochi_mm.datasets.transforms.keyed_torch import torch_drawing_from
from mochi_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandAugment:
    """Apply operations drawn from fourteen, by torchvision's ``RandAugment``.

    Args:
        num_ops: Operations applied in turn, >= 1.
        magnitude: Strength of all of them, from 0 to ``max_magnitude``.
        max_magnitude: Strength at which an operation does the most it can, >= 1. 10 is the
            paper's scale; torchvision's defaults are 9 of 30.
        fill: Gray level, 0 to 255, of what moves in from outside the picture.

    Raises:
        ValueError: A number out of range.
    """

    only_rgb = True

    def __init__(
        self, num_ops: int = 2, magnitude: int = 9, max_magnitude: int = 30, fill: int = 0
    ) -> None:
        for value, name in ((num_ops, 'num_ops'), (max_magnitude, 'max_magnitude')):
            if type(value) is not int or value < 1:
                raise ValueError(f'{name} must be an integer >= 1, got {value!r}')
        if type(magnitude) is not int or not 0 <= magnitude <= max_magnitude:
            raise ValueError(
                f'magnitude must be an integer from 0 to max_magnitude, {max_magnitude}; got '
                f'{magnitude!r}'
            )
        self.num_ops, self.magnitude, self.max_magnitude = num_ops, magnitude, max_magnitude
        self.fill = gray_level(fill, 'fill')
        self._augment = TorchVisionRandAugment(
            num_ops, magnitude, num_magnitude_bins=max_magnitude + 1, fill=[float(fill)] * 3
        )

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace ``img`` by its augmented version."""
        check_photograph(results['img'], type(self).__name__)
        with torch_drawing_from(results['rng']):
            results['img'] = self._augment(results['img'])
        return results

    def __repr__(self) -> str:
        return (
            f'RandAugment(num_ops={self.num_ops}, magnitude={self.magnitude}, '
            f'max_magnitude={self.max_magnitude}, fill={self.fill})'
        )
