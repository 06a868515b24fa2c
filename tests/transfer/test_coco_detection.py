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
from mochi_mm.transfer import CocoDetection, coco_detection

FILE = 'annotations/instances_train.json'


def read(root: Path, classes: tuple[str, ...] = KINDS, **options: Any) -> CocoDetection:
    return CocoDetection(
        data_root=str(root),
        ann_file=FILE,
        data_prefix=dict(img='train/'),
        metainfo=dict(classes=classes),
        filter_cfg=dict(filter_empty_gt=True),
        **options,
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
    assert len(data) == 6 and data.metainfo['ann_file'].endswith(FILE) and data.mask_fault is None


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
    'a byte-order mark': (
        lambda f: (f / FILE).write_bytes(b'\xef\xbb\xbf' + (f / FILE).read_bytes()),
        ValueError,
        'instances_train.json .*(byte-order mark|BOM)',
    ),
    'a list': (lambda f: (f / FILE).write_text('[]'), ValueError, 'is no COCO annotation file'),
    'no images': (lambda f: change(f, images=[]), ValueError, 'lists no image'),
    'another category': (
        lambda f: change(
            f,
            categories=[dict(id=i, name='blob' if i == 1 else KINDS[i - 1]) for i in range(1, 11)],
        ),
        ValueError,
        r"missing from the file \['disc'\].*unknown to the config \['blob'\].*num_classes to 10",
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


@pytest.mark.parametrize('spoilt', [dict(area=0), dict(iscrowd=1)])
@pytest.mark.parametrize('test_mode', [False, True])
def test_no_object_that_counts(folder: Path, spoilt: dict[str, int], test_mode: bool) -> None:
    content = json.loads((folder / FILE).read_text())
    change(folder, annotations=[record | spoilt for record in content['annotations']])
    with pytest.raises(ValueError, match='no image has an object of the 10 classes'):
        read(folder, test_mode=test_mode)


@pytest.mark.parametrize('test_mode', [False, True])
def test_no_object(folder: Path, test_mode: bool) -> None:
    change(folder, annotations=[])
    with pytest.raises(ValueError, match='lists no annotation; expected at least one'):
        read(folder, test_mode=test_mode)


def test_small_objects_are_left_out_with_a_word(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """COCO's train2017 has two boxes of no height; they stop nothing."""
    lines: list[str] = []
    monkeypatch.setattr(coco_detection, 'print_log', lambda line, logger: lines.append(line))
    content = json.loads((folder / FILE).read_text())
    read(folder)
    assert lines == []
    content['annotations'][0].update(bbox=[10, 20, 1.03, 0.0], area=0.0)
    change(folder, annotations=content['annotations'])
    data = read(folder)
    kept = sum(len(data.get_data_info(i)['instances']) for i in range(len(data)))
    assert kept == len(content['annotations']) - 1
    assert f': 1 of {kept + 1} objects are left out' in lines[0]


def test_images_of_another_size(folder: Path) -> None:
    content = json.loads((folder / FILE).read_text())
    content['images'][2]['width'] = 100
    change(folder, images=content['images'])
    match = r'000002\.jpg has .* = \(64, 64\) but .*train\.json says \(100, 64\)'
    with pytest.raises(ValueError, match=match):
        read(folder)


@pytest.mark.parametrize('masks', [True, False])
def test_masks_are_asked_for_where_they_are_loaded(folder: Path, masks: bool) -> None:
    content = json.loads((folder / FILE).read_text())
    del content['annotations'][1]['segmentation']
    change(folder, annotations=content['annotations'])
    pipeline = [dict(type='mmdet.LoadAnnotations', with_mask=masks)]
    if masks:
        with pytest.raises(ValueError, match=r'annotations\[1\] \(id 2\) has no segmentation'):
            read(folder, pipeline=pipeline)
    else:
        assert 'id 2) has no segmentation' in str(read(folder, pipeline=pipeline).mask_fault)


def test_run_lengths_that_the_pipeline_would_ignore(folder: Path) -> None:
    """mmdet ignores them with poly2mask=False, which keeps polygons as they are."""
    pipeline = [dict(type='mmdet.LoadAnnotations', with_mask=True, poly2mask=False)]
    with pytest.raises(ValueError, match=r'annotations\[0\] \(id 1\) is given by run lengths'):
        read(folder, pipeline=pipeline)


@pytest.mark.parametrize('mask', [[[10, 10, 20, 20]], [[10, 10, 20, 10, 20]]])
def test_a_wrong_mask_is_named_at_the_start(folder: Path, mask: Any) -> None:
    content = json.loads((folder / FILE).read_text())
    content['annotations'][3]['segmentation'] = mask
    change(folder, annotations=content['annotations'])
    with pytest.raises(ValueError, match=r'train\.json: annotations\[3\] \(id 4\) has a polygon'):
        read(folder, pipeline=[dict(type='mmdet.LoadAnnotations', with_mask=True)])
    assert '(id 4) has a polygon' in str(read(folder).mask_fault)
