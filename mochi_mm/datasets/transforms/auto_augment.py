"""Learned augmentation policies (Cubuk et al. 2019, AutoAugment)."""

from __future__ import annotations

from typing import Any

from torchvision.transforms import AutoAugment as TorchVisionAutoAugment
from torchvision.transforms import AutoAugmentPolicy

from mochi_mm.datasets.transforms.checks import check_photograph, gray_level
from mochi_mm.datasets.transforms.keyed_torch import torch_drawing_from
from mochi_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class AutoAugment:
    """Apply one of the policy's pairs of operations, by torchvision's ``AutoAugment``.

    Args:
        policy: Data set on which the policy was learned: 'imagenet', 'cifar10' or 'svhn'.
        fill: Gray level, 0 to 255, of what moves in from outside the picture.

    Raises:
        ValueError: An unknown policy, or a level out of range.
    """

    only_rgb = True

    def __init__(self, policy: str = 'imagenet', fill: int = 0) -> None:
        names = [known.value for known in AutoAugmentPolicy]
        if policy not in names:
            raise ValueError(f'policy must be one of {", ".join(names)}, got {policy!r}')
        self.policy, self.fill = policy, gray_level(fill, 'fill')
        self._augment = TorchVisionAutoAugment(AutoAugmentPolicy(policy), fill=[float(fill)] * 3)

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace ``img`` by its augmented version."""
        check_photograph(results['img'], type(self).__name__)
        with torch_drawing_from(results['rng']):
            results['img'] = self._augment(results['img'])
        return results

    def __repr__(self) -> str:
        return f'AutoAugment(policy={self.policy!r}, fill={self.fill})'
