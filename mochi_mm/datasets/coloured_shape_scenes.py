"""Generated scenes with a known bias: a tint that goes with the class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mochi_mm.datasets.shape_scenes import SPLITS, ShapeScenes
from mochi_mm.datasets.shapes.outlines import KINDS
from mochi_mm.randomness import SampleKey
from mochi_mm.registry import DATASETS

# Share of the tint in every pixel.
STRENGTH = 0.5
# Keeps the draw of a tint off the streams that the scenes are drawn from.
TINT_STREAM = len(SPLITS)


@DATASETS.register_module()
class ColouredShapeScenes(ShapeScenes):
    """Scenes of :class:`ShapeScenes` under a tint that agrees with the class in most images.

    The construction of biased MNIST (Bahng et al. 2020) on scenes: there are as many tints as
    kinds, evenly spaced hues. In each class the share ``aligned`` of the images (rounded down) has
    the tint of the class, the rest is spread evenly over the other tints. Train on a biased set,
    test on one with ``aligned=1 / number of kinds``, where the tint says nothing.

    Samples have ``bias_label``, the tint; ``PackInputs(extra_keys=['bias_label'])`` hands it on.

    Args:
        aligned: Share of each class with the class's own tint, in [0, 1]; None is no bias, one in
            as many as there are kinds.
        num_scenes: See :class:`ShapeScenes`.
        split: See :class:`ShapeScenes`.
        image_size: See :class:`ShapeScenes`.
        num_objects: See :class:`ShapeScenes`.
        seed: See :class:`ShapeScenes`.
        pipeline: Transforms.
        cache_dir: See :class:`ShapeScenes`; scenes are kept without their tint.

    Raises:
        ValueError: ``aligned`` outside [0, 1].
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
        cache_dir: str | Path | None = None,
    ) -> None:
        super().__init__(
            num_scenes,
            split,
            image_size,
            num_objects,
            seed=seed,
            pipeline=pipeline,
            cache_dir=cache_dir,
        )
        aligned = 1 / len(KINDS) if aligned is None else aligned
        if not 0 <= aligned <= 1:
            raise ValueError(
                f'aligned is {aligned}; expected a share from 0 to 1, or None for no bias.'
            )
        self.aligned = aligned
        self.bias_labels = self._draw_biases()
        self.tints = _tints(len(KINDS))

    def image(self, index: int) -> Image.Image:
        """Return scene ``index``, tinted, as an RGB image."""
        tint = self.tints[self.bias_labels[index]]
        pixels = np.asarray(super().image(index), np.float32)
        return Image.fromarray(((1 - STRENGTH) * pixels + STRENGTH * tint + 0.5).astype(np.uint8))

    def sample(self, index: int) -> dict[str, Any]:
        """Return the input of the pipeline, with ``bias_label``."""
        return dict(super().sample(index), bias_label=int(self.bias_labels[index]))

    def _draw_biases(self) -> np.ndarray:
        rng = SampleKey(SPLITS.index(self.split), self.seed, TINT_STREAM).generator()
        biases = self.labels.copy()
        for kind in range(len(KINDS)):
            members = np.flatnonzero(self.labels == kind)
            conflicting = members[rng.permutation(len(members))[int(len(members) * self.aligned) :]]
            step = 1 + np.arange(len(conflicting)) % (len(KINDS) - 1)
            biases[conflicting] = (kind + step) % len(KINDS)
        return biases


def _tints(count: int) -> np.ndarray:
    """Return (count, 3) saturated colors of evenly spaced hues, 0 to 255."""
    hues = np.arange(count) / count
    channels = np.abs((hues[:, None] + np.array([0, 2 / 3, 1 / 3])) % 1 * 6 - 3) - 1
    return (255 * np.clip(channels, 0, 1)).astype(np.float32)
