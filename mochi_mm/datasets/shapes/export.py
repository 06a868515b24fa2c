"""Generated scenes as files: class folders, PASCAL VOC, COCO instances."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from mochi_mm.datasets.shape_scenes import ShapeScenes
from mochi_mm.datasets.shapes.scene import Scene, SceneObject

JPEG_QUALITY = 95
Track = Callable[[Iterable[int]], Iterable[int]]


def _save(scene: Scene, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(scene.image).save(path, quality=JPEG_QUALITY)


def export_folder(scenes: ShapeScenes, root: Path, track: Track = iter) -> None:
    """Write ``root/<split>/<kind>/<number>.jpg``, as :class:`ImageFolder` reads it.

    Raises:
        ValueError: Scenes without a label (``mixed``).
    """
    if scenes.mixed:
        raise ValueError('scenes of mixed kinds have no label; expected mixed=False for folders.')
    for index in track(range(len(scenes))):
        kind = scenes.classes[int(scenes.labels[index])]
        _save(scenes.scene(index), root / scenes.split / kind / f'{index:06d}.jpg')


def voc_annotation(scene: Scene, name: str, classes: tuple[str, ...]) -> ElementTree.Element:
    """Return a VOC annotation; boxes count pixels from 1 and include the last one."""
    size = scene.image.shape[0]
    root = ElementTree.Element('annotation')
    ElementTree.SubElement(root, 'filename').text = name
    shape = ElementTree.SubElement(root, 'size')
    for tag, value in (('width', size), ('height', size), ('depth', 3)):
        ElementTree.SubElement(shape, tag).text = str(value)
    for item in scene.objects:
        node = ElementTree.SubElement(root, 'object')
        ElementTree.SubElement(node, 'name').text = classes[item.kind]
        ElementTree.SubElement(node, 'truncated').text = str(int(item.truncated))
        ElementTree.SubElement(node, 'difficult').text = '0'
        box = ElementTree.SubElement(node, 'bndbox')
        x0, y0, x1, y1 = item.bbox
        for tag, value in (('xmin', x0 + 1), ('ymin', y0 + 1), ('xmax', x1), ('ymax', y1)):
            ElementTree.SubElement(box, tag).text = str(value)
    return root


def export_voc(scenes: ShapeScenes, root: Path, track: Track = iter) -> None:
    """Write ``JPEGImages``, ``Annotations`` and ``ImageSets/Main/<split>.txt`` under ``root``."""
    (root / 'Annotations').mkdir(parents=True, exist_ok=True)
    (root / 'ImageSets/Main').mkdir(parents=True, exist_ok=True)
    names = []
    for index in track(range(len(scenes))):
        name = f'{scenes.split}_{index:06d}'
        scene = scenes.scene(index)
        _save(scene, root / 'JPEGImages' / f'{name}.jpg')
        tree = ElementTree.ElementTree(voc_annotation(scene, f'{name}.jpg', scenes.classes))
        ElementTree.indent(tree)
        tree.write(root / 'Annotations' / f'{name}.xml')
        names.append(name)
    listed = '\n'.join(names) + '\n'
    (root / 'ImageSets/Main' / f'{scenes.split}.txt').write_text(listed)


def mask_to_rle(mask: np.ndarray) -> dict[str, Any]:
    """Return COCO's uncompressed run lengths of a (H, W) mask: columns first, zeros first."""
    flat = mask.ravel(order='F').astype(np.int8)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat, [0]])))
    bounds = np.concatenate([[0], edges[: len(edges) - (flat[-1] == 1)], [flat.size]])
    return dict(size=list(mask.shape), counts=np.diff(bounds).tolist())


def coco_object(item: SceneObject, image_id: int, number: int) -> dict[str, Any]:
    """Return the COCO record of an object; categories count from 1.

    The mask is given as run lengths: polygons would lose the hole of a ring.
    """
    x0, y0, x1, y1 = item.bbox
    return dict(
        id=number,
        image_id=image_id,
        category_id=item.kind + 1,
        bbox=[x0, y0, x1 - x0, y1 - y0],
        area=int(item.mask.sum()),
        iscrowd=0,
        segmentation=mask_to_rle(item.mask),
    )


def export_coco(scenes: ShapeScenes, root: Path, track: Track = iter) -> None:
    """Write ``<split>/<number>.jpg`` and ``annotations/instances_<split>.json`` under ``root``."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for index in track(range(len(scenes))):
        scene = scenes.scene(index)
        name = f'{index:06d}.jpg'
        _save(scene, root / scenes.split / name)
        size = scene.image.shape[0]
        images.append(dict(id=index + 1, file_name=name, width=size, height=size))
        for item in scene.objects:
            annotations.append(coco_object(item, index + 1, len(annotations) + 1))
    categories = [
        dict(id=i + 1, name=name, supercategory='shape') for i, name in enumerate(scenes.classes)
    ]
    record = dict(images=images, annotations=annotations, categories=categories)
    (root / 'annotations').mkdir(parents=True, exist_ok=True)
    path = root / 'annotations' / f'instances_{scenes.split}.json'
    path.write_text(json.dumps(record))


EXPORTERS: dict[str, Callable[[ShapeScenes, Path, Track], None]] = dict(
    folder=export_folder, voc=export_voc, coco=export_coco
)
