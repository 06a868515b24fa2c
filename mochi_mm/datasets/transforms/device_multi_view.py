"""Crops here, colors and blur on the device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from mochi_mm.datasets.transforms.color_affine import color_affine
from mochi_mm.datasets.transforms.drawn_multi_view import DrawnMultiView
from mochi_mm.datasets.transforms.planes import planes_of
from mochi_mm.datasets.transforms.view_plan import ViewPlan
from mochi_mm.registry import TRANSFORMS
from mochi_mm.structures import ViewParameters


@TRANSFORMS.register_module()
class DeviceMultiView(DrawnMultiView):
    """:class:`FastMultiView` that leaves colors, blur and flip to the data preprocessor.

    Decodes, crops and resizes; the rest travels with the sample as ``view_parameters``, a
    :class:`ViewParameters`, and ``ViewDataPreprocessor`` applies it to the whole batch.

    Args:
        transforms: As for :class:`FastMultiView`.
        num_views: As for :class:`FastMultiView`.

    >>> import numpy as np
    >>> from mochi_mm.datasets.transforms import RandomFlip, RandomResizedCrop
    >>> make = DeviceMultiView([[RandomResizedCrop(size=32), RandomFlip()]], num_views=2)
    >>> image = np.zeros((48, 64, 3), np.uint8)
    >>> sample = make(dict(img=image, rng=np.random.default_rng(0)))
    >>> sample['views'][0].shape, sample['view_parameters'].of_pixel.shape
    (torch.Size([3, 32, 32]), torch.Size([2, 3, 3]))
    """

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add ``views``, the bare crops (C, H, W), and ``view_parameters``."""
        plans, crops = self.draw_and_crop(results)
        results['views'] = [planes_of(crop) for crop in crops]
        sizes = [recipe.crop.size[0] for recipe in self.recipes]
        results['view_parameters'] = parameters_of(plans, sizes, crops[0].shape[2])
        return results


def parameters_of(
    plans: Sequence[ViewPlan], sizes: Sequence[int], channels: int = 3
) -> ViewParameters:
    """Return the parameters of V views that the device needs.

    Args:
        plans: Parameters drawn for each view.
        sizes: Side of each view; of its height, where it is not square.
        channels: Of the image.

    Raises:
        ValueError: A plan whose colors or blur are not finite.
    """
    # One array each, filled in place: small tensors cost more to make than to compute.
    colors = np.empty((len(plans), 2, channels, channels), np.float32)
    for of_view, plan in zip(colors, plans, strict=True):
        of_view[0], of_view[1] = color_affine(plan.colors, plan.gray, channels)
    sigma = np.array([plan.sigma for plan in plans], np.float32)
    if not (np.isfinite(colors).all() and np.isfinite(sigma).all()):
        raise ValueError(f'{plans} give colors or a blur that are not finite.')
    return ViewParameters(
        of_pixel=torch.from_numpy(colors[:, 0].copy()),
        of_mean=torch.from_numpy(colors[:, 1].copy()),
        sigma=torch.from_numpy(sigma),
        flip=torch.from_numpy(np.array([plan.flip for plan in plans])),
        box=torch.from_numpy(np.array([plan.box for plan in plans], np.float32)),
        size=torch.from_numpy(np.array(sizes)),
    )
