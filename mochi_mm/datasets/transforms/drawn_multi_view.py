"""Base class of the fast recipes: draw everything first, then decode once and cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from mochi_mm.datasets.transforms.multi_view import MultiView
from mochi_mm.datasets.transforms.source_image import SourceImage
from mochi_mm.datasets.transforms.view_plan import ViewPlan, ViewRecipe


class DrawnMultiView(MultiView):
    """A :class:`MultiView` that knows its recipes, so that it can draw before it decodes.

    Args:
        transforms: As for :class:`MultiView`.
        num_views: As for :class:`MultiView`.
    """

    #: A data set of files hands over ``source``, a SourceImage, instead of a decoded ``img``.
    takes_files = True

    def __init__(self, transforms: Sequence[Sequence[Any]], num_views: int | Sequence[int]) -> None:
        super().__init__(transforms, num_views)
        recipes = [ViewRecipe(pipeline) for pipeline in transforms]
        self.recipes = [
            recipe
            for recipe, count in zip(recipes, self.num_views, strict=True)
            for _ in range(count)
        ]

    def draw_and_crop(self, results: dict[str, Any]) -> tuple[list[ViewPlan], list[np.ndarray]]:
        """Return the parameters drawn for each view, and the crops, (h, w, C)."""
        cv2.setNumThreads(0)  # the workers of a loader are the threads
        source = results['source'] if 'source' in results else SourceImage(results['img'])
        rng = results['rng']
        size = source.width, source.height
        plans = [recipe.draw(*size, rng, source.channels) for recipe in self.recipes]
        boxes = [plan.box for plan in plans]
        return plans, source.crops(boxes, [recipe.crop.size for recipe in self.recipes])

    def __repr__(self) -> str:
        return f'{type(self).__name__}(transforms={self.transforms}, num_views={self.num_views})'
