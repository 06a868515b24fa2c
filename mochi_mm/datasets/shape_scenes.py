"""Generated scenes of overlapping shapes: the data set that is always there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mochi_mm.datasets.base import ImageDataset
from mochi_mm.datasets.shapes.image_cache import rendered
from mochi_mm.datasets.shapes.outlines import KINDS
from mochi_mm.datasets.shapes.scene import Request, Scene, SceneObject, render_scene
from mochi_mm.randomness import SampleKey
from mochi_mm.registry import DATASETS

SPLITS = ('train', 'val', 'test')
MIN_IMAGE_SIZE = 24
# Share of the image that the shapes of the scene's kind cover together, before they overlap.
COVERED = 0.6


@DATASETS.register_module()
class ShapeScenes(ImageDataset):
    """Scenes of several overlapping textured shapes on a cluttered background.

    The label of a scene is the kind that dominates it: most shapes and all big ones are of that
    kind, a minority of smaller ones are of others. Color, texture and background are drawn without
    looking at the kind. Every scene depends on (seed, split, index) alone; it is drawn when it is
    asked for, 3 ms each at 64 pixels, or once and for all with ``cache_dir``.

    Args:
        num_scenes: Number of scenes; kinds are equally frequent.
        split: ``train``, ``val`` or ``test``: different scenes of the same world.
        image_size: Side of the square images, pixels.
        num_objects: Fewest and most shapes a scene.
        mixed: Draw the kind of every shape by itself, for detection; then scenes have no label.
        seed: Random seed of the generated scenes.
        pipeline: Transforms.
        cache_dir: Folder that keeps the drawn images between epochs and runs. None: draw each
            time.

    Raises:
        ValueError: Numbers out of range or an unknown split.
    """

    classes = KINDS

    def __init__(
        self,
        num_scenes: int = 4000,
        split: str = 'train',
        image_size: int = 64,
        num_objects: tuple[int, int] = (2, 3),
        mixed: bool = False,
        seed: int = 0,
        pipeline: Sequence[Any] = (),
        cache_dir: str | Path | None = None,
    ) -> None:
        super().__init__(pipeline)
        if num_scenes < 1:
            raise ValueError(f'num_scenes is {num_scenes}; expected at least 1.')
        if split not in SPLITS:
            raise ValueError(f'split is {split!r}; expected one of {", ".join(SPLITS)}.')
        if image_size < MIN_IMAGE_SIZE:
            raise ValueError(
                f'image_size is {image_size}; expected at least {MIN_IMAGE_SIZE} pixels, below '
                'which the shapes cannot be told apart.'
            )
        if len(num_objects) != 2 or not 1 <= num_objects[0] <= num_objects[1]:
            raise ValueError(
                f'num_objects is {tuple(num_objects)}; expected (fewest, most), at least one shape.'
            )
        self.split, self.image_size, self.seed = split, image_size, seed
        self.num_objects, self.mixed = tuple(num_objects), mixed
        kinds = np.arange(num_scenes, dtype=np.int64) % len(self.classes)
        self.labels = np.full(num_scenes, -1, dtype=np.int64) if mixed else kinds
        self._images: np.ndarray | None = None
        if cache_dir is not None:
            settings = repr((num_scenes, split, image_size, self.num_objects, mixed, seed))
            settings += self.world()
            self._images = rendered(
                cache_dir, settings, num_scenes, image_size, lambda i: self.scene(i).image
            )

    def world(self) -> str:
        """Return what else the scenes depend on, for the name of their file; here nothing."""
        return ''

    def scene(self, index: int) -> Scene:
        """Return scene ``index`` with its objects."""
        # The split takes the place of the epoch: streams of different splits never meet.
        rng = SampleKey(index, self.seed, SPLITS.index(self.split)).generator()
        return render_scene(rng, self.requests(rng, index), self.image_size)

    def image(self, index: int) -> Image.Image:
        """Return scene ``index`` as an RGB image."""
        pixels = self.scene(index).image if self._images is None else self._images[index]
        return Image.fromarray(pixels)

    def annotations(self, index: int) -> tuple[SceneObject, ...]:
        """Return the objects of scene ``index``, back to front: kind, box and visible mask."""
        return self.scene(index).objects

    def requests(self, rng: np.random.Generator, index: int) -> list[Request]:
        """Return the shapes of scene ``index``, back to front."""
        fewest, most = self.num_objects
        count = int(rng.integers(fewest, most + 1))
        if self.mixed:
            side = np.sqrt(COVERED / count)
            kinds = rng.integers(len(KINDS), size=count)
            return [Request(int(kind), float(side * rng.uniform(0.6, 1.0))) for kind in kinds]
        label = int(self.labels[index])
        few = int(rng.integers(0, (count - 1) // 2 + 1))
        side = np.sqrt(COVERED / (count - few))
        requests = [
            Request(label, float(side * rng.uniform(0.8, 1.15))) for _ in range(count - few)
        ]
        for _ in range(few):
            other = (label + 1 + int(rng.integers(len(KINDS) - 1))) % len(KINDS)
            requests.append(Request(other, float(side * rng.uniform(0.35, 0.5))))
        return [requests[i] for i in rng.permutation(count)]
