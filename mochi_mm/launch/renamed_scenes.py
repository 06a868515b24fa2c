"""Generated scenes under the classes of another data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mochi_mm.datasets.shape_scenes import ShapeScenes
from mochi_mm.datasets.shapes.scene import Scene


class RenamedScenes(ShapeScenes):
    """Scenes for detection whose kinds of shapes stand for given classes.

    Where there are fewer classes than kinds, several kinds are one class.

    Args:
        classes: Names, at least one.
        num_scenes: See :class:`ShapeScenes`.
        image_size: See :class:`ShapeScenes`.
    """

    def __init__(self, classes: Sequence[str], num_scenes: int, image_size: int) -> None:
        super().__init__(num_scenes, image_size=image_size, num_objects=(2, 4), mixed=True)
        self.classes = tuple(classes)

    def scene(self, index: int) -> Scene:
        """Return scene ``index``, its objects numbered by the given classes."""
        scene = super().scene(index)
        number = len(self.classes)
        renamed = tuple(replace(item, kind=item.kind % number) for item in scene.objects)
        return replace(scene, objects=renamed)
