"""Generated scenes whose background goes with the class, with exact masks of what is before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from mochi_mm.datasets.coloured_shape_scenes import STRENGTH, ColouredShapeScenes
from mochi_mm.registry import DATASETS


@DATASETS.register_module()
class BackgroundShapeScenes(ColouredShapeScenes):
    """Scenes of :class:`ShapeScenes` on a background whose tint agrees with the class in most.

    As :class:`ColouredShapeScenes`, but the tint lies behind the shapes alone: a network that goes
    by the background is right where it agrees. Test images with the *own* background have the
    ``aligned`` of training; with ``aligned=0`` each has the background of *another* class.

    Samples have ``mask``, (H, W) bool, the visible pixels of all shapes, for :class:`SaliencyMask`,
    and ``bias_label``, the class of the background; ``PackInputs(extra_keys=['bias_label'])`` hands
    it on.

    Args:
        aligned: Share of each class on the class's own background, in [0, 1]; None is no bias.
        num_scenes: See :class:`ShapeScenes`.
        split: See :class:`ShapeScenes`.
        image_size: See :class:`ShapeScenes`.
        num_objects: See :class:`ShapeScenes`.
        seed: See :class:`ShapeScenes`.
        pipeline: Transforms.

    Raises:
        ValueError: ``aligned`` outside [0, 1].

    >>> sample = BackgroundShapeScenes(aligned=0.0, num_scenes=10).sample(3)
    >>> sample['mask'].shape, sample['bias_label'] == sample['gt_label']
    ((64, 64), False)
    """

    def __init__(
        self,
        aligned: float | None = None,
        num_scenes: int = 4000,
        split: str = 'train',
        image_size: int = 64,
        num_objects: tuple[int, int] = (2, 3),
        seed: int = 0,
        pipeline: Sequence[Any] = (),
    ) -> None:
        # Images alone could be kept in a file; the masks are drawn with them.
        super().__init__(aligned, num_scenes, split, image_size, num_objects, seed, pipeline)

    def image(self, index: int) -> Image.Image:
        """Return scene ``index``, its background tinted, as an RGB image."""
        return self._drawn(index)[0]

    def sample(self, index: int) -> dict[str, Any]:
        """Return the input of the pipeline, with ``mask`` and ``bias_label``."""
        image, mask = self._drawn(index)
        return dict(
            img=image,
            mask=mask,
            gt_label=int(self.labels[index]),
            sample_idx=int(index),
            bias_label=int(self.bias_labels[index]),
        )

    def _drawn(self, index: int) -> tuple[Image.Image, np.ndarray]:
        """Return a scene and where its shapes are, (H, W) bool."""
        scene = self.scene(index)
        mask = np.any([shape.mask for shape in scene.objects], axis=0)
        tint = self.tints[self.bias_labels[index]]
        tinted = ((1 - STRENGTH) * scene.image + STRENGTH * tint + 0.5).astype(np.uint8)
        return Image.fromarray(np.where(mask[..., None], scene.image, tinted)), mask
