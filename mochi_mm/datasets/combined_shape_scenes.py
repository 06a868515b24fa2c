"""Generated scenes with up to 100 classes: kind, texture and hue of one shape."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mochi_mm.datasets.shape_scenes import COVERED, ShapeScenes
from mochi_mm.datasets.shapes.outlines import KINDS
from mochi_mm.datasets.shapes.scene import Request
from mochi_mm.datasets.shapes.textures import TEXTURES
from mochi_mm.registry import DATASETS

#: Two hues far apart, by name.
HUES = {'red': 0.0, 'blue': 0.6}
#: (kind, texture, hue) of every class, in the order in which classes come in.
COMBINATIONS: tuple[tuple[str, str, str], ...] = tuple(
    (KINDS[kind], TEXTURES[(kind + turn) % len(TEXTURES)], list(HUES)[(kind + turn // 5) % 2])
    for turn in range(len(TEXTURES) * len(HUES))
    for kind in range(len(KINDS))
)


@DATASETS.register_module()
class CombinedShapeScenes(ShapeScenes):
    """Scenes of one shape whose class is its kind, its texture and its hue.

    Of the 100 combinations of 10 kinds, 5 textures and 2 hues, the first ``num_classes`` of
    ``COMBINATIONS`` are the classes: the first five differ in kind and texture, the first ten in
    kind, and a smaller world is part of a larger one. Place, size, turn and stretch of the shape,
    its brightness and the background are drawn without looking at the class. With fewer classes at
    the same number of scenes, more of the others are of an image's own class.

    Args:
        num_classes: From 2 to 100.
        num_scenes: See :class:`ShapeScenes`; classes are equally frequent.
        split: See :class:`ShapeScenes`.
        image_size: See :class:`ShapeScenes`.
        seed: See :class:`ShapeScenes`.
        pipeline: Transforms.
        cache_dir: See :class:`ShapeScenes`.

    Raises:
        ValueError: ``num_classes`` out of range.
    """

    def __init__(
        self,
        num_classes: int = 100,
        num_scenes: int = 4000,
        split: str = 'train',
        image_size: int = 64,
        seed: int = 0,
        pipeline: Sequence[Any] = (),
        cache_dir: str | Path | None = None,
    ) -> None:
        if not 2 <= num_classes <= len(COMBINATIONS):
            raise ValueError(
                f'num_classes is {num_classes}; expected 2 to {len(COMBINATIONS)}, the '
                'combinations of kind, texture and hue that there are.'
            )
        self.num_classes = num_classes
        self.classes = tuple(' '.join(reversed(names)) for names in COMBINATIONS[:num_classes])
        super().__init__(
            num_scenes, split, image_size, (1, 1), seed=seed, pipeline=pipeline, cache_dir=cache_dir
        )

    def world(self) -> str:
        """Return the number of classes: the scenes depend on it."""
        return f' {self.num_classes} combinations'

    def requests(self, rng: np.random.Generator, index: int) -> list[Request]:
        """Return the one shape of scene ``index``."""
        kind, texture, hue = COMBINATIONS[int(self.labels[index])]
        side = float(np.sqrt(COVERED) * rng.uniform(0.8, 1.15))
        return [Request(KINDS.index(kind), side, texture, HUES[hue])]
