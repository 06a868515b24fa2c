"""What is read from a COCO file, and what is refused."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('mmdet', reason='mmdet is not installed')

from mochi_mm.datasets.shapes.outlines import KINDS
from mochi_mm.transfer import CocoDetection

FILE = 'annotations/instances_train.json'


def read(root: Path, classes: tuple[str, ...] = KINDS) -> CocoDetection:
    return CocoDetection(
        data_root=str(root),
        ann_file=FILE,
        data_prefix=dict(img='train/'),
        metainfo=dict(classes=classes),
        filter_cfg=dict(filter_empty_gt=True),
    )


@pytest.fixture
def folder(coco_scenes: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(coco_scenes, tmp_path / 'coco'))


def change(folder: Path, **sections: Any) -> None:
    path = folder / FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **sections}))


def test_every_object_with_its_own_label(coco_scenes: Path) -> None:
    data, content = read(coco_scenes), json.loads((coco_scenes / FILE).read_text())
    names = {category['id']: category['name'] for category in content['categories']}
    for i in range(len(data)):
        info = data.get_data_info(i)
        written = [a for a in content['annotations'] if a['image_id'] == info['img_id']]
        assert [KINDS[o['bbox_label']] for o in info['instances']] == [
            names[a['category_id']] for a in written
        ]
    assert len(data) == 6 and data.metainfo['ann_file'].endswith(FILE)


MISTAKES = {
    'no file': (
        lambda f: (f / FILE).unlink(),
        FileNotFoundError,
        'no COCO annotations at .*instances_train.json',
    ),
    'no image': (
        lambda f: (f / 'train/000003.jpg').unlink(),
        FileNotFoundError,
        'lists an image that is not at .*000003.jpg',
    ),
    'not JSON': (
        lambda f: (f / FILE).write_text('{'),
        ValueError,
        'is no COCO annotation file',
    ),
    'a list': (lambda f: (f / FILE).write_text('[]'), ValueError, 'is no COCO annotation file'),
    'no images': (lambda f: change(f, images=[]), ValueError, 'lists no image'),
    'another category': (
        lambda f: change(f, categories=[dict(id=1, name='blob')]),
        ValueError,
        r"missing from the file \['disc'.*unknown to the config \['blob'\].*num_classes to 1",
    ),
}


@pytest.mark.parametrize('name', MISTAKES)
def test_mistakes(folder: Path, name: str) -> None:
    spoil, error, message = MISTAKES[name]
    spoil(folder)
    with pytest.raises(error, match=re.compile(message, re.DOTALL)):
        read(folder)


def test_classes_that_are_not_the_categories(coco_scenes: Path) -> None:
    with pytest.raises(ValueError, match=r"missing from the file none, unknown .* \['arrow'\]"):
        read(coco_scenes, KINDS[:-1])
    with pytest.raises(ValueError, match='in another order, so labels would be mixed up'):
        read(coco_scenes, KINDS[::-1])


def test_objects_without_area_leave_nothing(folder: Path) -> None:
    change(folder, annotations=[])
    with pytest.raises(ValueError, match='no image has an object of the 10 classes'):
        read(folder)
