"""Views of images that the device holds: only what was drawn leaves the pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from mochi_mm.datasets.transforms.device_multi_view import parameters_of
from mochi_mm.datasets.transforms.drawn_multi_view import DrawnMultiView
from mochi_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class HeldMultiView(DrawnMultiView):
    """:class:`DeviceMultiView` whose crops are cut on the device as well.

    For :class:`~mochi_mm.datasets.InMemory` with ``HoldImagesHook``: a view is the number of its
    image, a scalar, and ``view_parameters`` are those of ``DeviceMultiView``.
    ``ViewDataPreprocessor`` does the rest.

    Args:
        transforms: As for :class:`FastMultiView`.
        num_views: As for :class:`FastMultiView`.

    Raises:
        ValueError: Views that are not square; when called: the data set is no InMemory.

    >>> import numpy as np
    >>> from mochi_mm.datasets.transforms import RandomFlip, RandomResizedCrop
    >>> make = HeldMultiView([[RandomResizedCrop(size=32), RandomFlip()]], num_views=2)
    >>> sample = make(dict(row=7, size=(24, 32), rng=np.random.default_rng(0)))
    >>> [int(view) for view in sample['views']], sample['view_parameters'].box.shape
    ([7, 7], torch.Size([2, 4]))
    """

    takes_files = False
    #: A data set in memory hands over ``row``, ``size`` and ``channels`` instead of an ``img``.
    takes_rows = True

    def __init__(self, transforms: Sequence[Sequence[Any]], num_views: int | Sequence[int]) -> None:
        super().__init__(transforms, num_views)
        sizes = [recipe.crop.size for recipe in self.recipes]
        if any(height != width for height, width in sizes):
            raise ValueError(f'views of sizes {sizes}; HeldMultiView makes square ones.')
        self.sizes = [height for height, _ in sizes]

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add ``views``, numbers of images as int64 scalars, and ``view_parameters``."""
        if 'row' not in results:
            raise ValueError(
                "HeldMultiView draws for images that are held: dataset=dict(type='InMemory', "
                "dataset=..., pipeline=...) with dict(type='HoldImagesHook') in custom_hooks."
            )
        height, width = results['size']
        channels = results.get('channels', 3)
        rng = results['rng']
        plans = [recipe.draw(width, height, rng, channels) for recipe in self.recipes]
        results['views'] = [torch.tensor(results['row']) for _ in plans]
        results['view_parameters'] = parameters_of(plans, self.sizes, channels)
        return results
