"""Crops here, colours and blur on the device."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import torch

from mochi_mm.datasets.transforms.colour_affine import colour_affine
from mochi_mm.datasets.transforms.drawn_multi_view import DrawnMultiView
from mochi_mm.datasets.transforms.view_plan import ViewPlan
from mochi_mm.registry import TRANSFORMS

#: Numbers a view: A and C of the colours (9 each), standard deviation of the blur, flip.
NUM_PARAMETERS = 20


@TRANSFORMS.register_module()
class DeviceMultiView(DrawnMultiView):
    """:class:`FastMultiView` that leaves colours, blur and flip to the data preprocessor.

    Decodes, crops and resizes; the parameters of the rest travel with the sample as
    ``view_parameters`` (V, 20), and ``ViewDataPreprocessor`` applies them to the whole batch.

    Args:
        transforms: As for :class:`FastMultiView`.
        num_views: As for :class:`FastMultiView`.

    >>> import numpy as np
    >>> from mochi_mm.datasets.transforms import RandomFlip, RandomResizedCrop
    >>> make = DeviceMultiView([[RandomResizedCrop(size=32), RandomFlip()]], num_views=2)
    >>> image = np.zeros((48, 64, 3), np.uint8)
    >>> sample = make(dict(img=image, rng=np.random.default_rng(0)))
    >>> sample['views'][0].shape, sample['view_parameters'].shape
    (torch.Size([3, 32, 32]), torch.Size([2, 20]))
    """

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add ``views``, the bare crops (3, H, W) uint8, and ``view_parameters``."""
        plans, crops = self.draw_and_crop(results)
        results['views'] = [_planes(crop) for crop in crops]
        results['view_parameters'] = torch.from_numpy(np.stack([parameters(p) for p in plans]))
        return results


def parameters(plan: ViewPlan) -> np.ndarray:
    """Return what the device needs of a plan, (20,) float32."""
    of_pixel, of_mean = colour_affine(plan.colours, plan.grey)
    numbers = [*of_pixel.flat, *of_mean.flat, plan.sigma, float(plan.flip)]
    if len(numbers) != NUM_PARAMETERS or not all(map(math.isfinite, numbers)):
        raise ValueError(f'{plan} gives {numbers}; expected {NUM_PARAMETERS} finite numbers.')
    return np.array(numbers, np.float32)


def _planes(pixels: np.ndarray) -> torch.Tensor:
    planes = np.empty((3, *pixels.shape[:2]), np.uint8)
    cv2.split(pixels, [planes[0], planes[1], planes[2]])
    return torch.from_numpy(planes)
