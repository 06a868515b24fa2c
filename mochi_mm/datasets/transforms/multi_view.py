"""Several views of one image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mochi_mm.datasets.transforms.compose import Compose
from mochi_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class MultiView:
    """Make ``results['views']``, a list of images, each from the untouched ``results['img']``.

    The views are made one after the other from one random generator, so they differ, and are the
    same again for the same generator.

    Args:
        transforms: One list of transforms for each kind of view.
        num_views: Number of views per list, in turn; an int where there is one list only.

    Raises:
        ValueError: ``transforms`` is not a list of lists, or ``num_views`` does not match it.

    >>> import numpy as np
    >>> from PIL import Image
    >>> from mochi_mm.datasets.transforms import RandomFlip, RandomResizedCrop
    >>> make = MultiView([[RandomResizedCrop(size=32), RandomFlip()]], num_views=2)
    >>> sample = dict(img=Image.new('RGB', (64, 48)), rng=np.random.default_rng(0))
    >>> [view.size for view in make(sample)['views']]
    [(32, 32), (32, 32)]
    """

    def __init__(self, transforms: Sequence[Sequence[Any]], num_views: int | Sequence[int]) -> None:
        nested = isinstance(transforms, Sequence) and all(
            isinstance(t, Sequence) and not isinstance(t, str) for t in transforms
        )
        if not nested or not transforms:
            raise ValueError(
                'MultiView takes a list of pipelines, each itself a list: '
                f'transforms=[[dict(type=...), ...]], got {transforms!r}'
            )
        counts = [num_views] if isinstance(num_views, int) else list(num_views)
        if not all(type(count) is int and count > 0 for count in counts):
            raise ValueError(f'num_views must be positive integers, got {num_views!r}')
        if len(counts) != len(transforms):
            raise ValueError(
                f'num_views={num_views!r} gives {len(counts)} numbers of views for '
                f'{len(transforms)} pipelines; give one number for each pipeline'
            )
        self.num_views = counts
        self.transforms = [Compose(pipeline) for pipeline in transforms]
        self._sequence = [
            pipeline
            for pipeline, count in zip(self.transforms, counts, strict=True)
            for _ in range(count)
        ]

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add ``views``; ``img`` stays as it is."""
        results['views'] = [pipeline(dict(results))['img'] for pipeline in self._sequence]
        return results

    def __repr__(self) -> str:
        return f'MultiView(transforms={self.transforms}, num_views={self.num_views})'
