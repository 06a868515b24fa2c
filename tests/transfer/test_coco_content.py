"""One wrong record is found and named; what COCO itself holds passes."""

from __future__ import annotations

import math
from typing import Any

import pytest

pytest.importorskip('mmdet', reason='mmdet is not installed')

from mochi_mm.transfer.coco_content import check_coco, has_masks

SQUARE = [[10, 10, 20, 10, 20, 20, 10, 20]]


def content() -> dict[str, Any]:
    """Two images of 64 x 48 pixels, two classes, three objects."""
    box = dict(bbox=[10, 10, 10, 10], area=100, iscrowd=0, segmentation=SQUARE)
    return dict(
        images=[dict(id=i, file_name=f'{i}.jpg', width=64, height=48) for i in (7, 9)],
        categories=[dict(id=1, name='cat'), dict(id=3, name='dog')],
        annotations=[
            dict(box, id=i, image_id=image, category_id=category)
            for i, (image, category) in enumerate([(7, 1), (7, 3), (9, 3)], 1)
        ],
    )


def check(found: Any, masks: bool = True) -> None:
    check_coco(found, 'file.json', ('cat', 'dog'), masks)


@pytest.mark.parametrize(
    'box', [[10, 10, 1.03, 0.0], [-0.5, -2, 10, 10], [60, 40, 4.01, 8.3], [0, 0, 64, 48]]
)
def test_what_coco_holds_passes(box: list[float]) -> None:
    """Boxes of no height, and edges a little outside."""
    found = content()
    found['annotations'][1]['bbox'] = box
    check(found)
    assert has_masks(found)


OBJECTS = {
    'unknown category': (dict(category_id=2), 'category_id 2, which no record of categories has'),
    'unknown image': (dict(image_id=8), 'image_id 8, which no record of images has'),
    'no category': (dict(category_id=None), 'category_id None'),
    'negative size': (dict(bbox=[20, 20, -10, 5]), r'bbox \[20, 20, -10, 5\] of negative size'),
    'negative place': (dict(bbox=[-20, -20, 10, 5]), 'outside of its image of .* = .64, 48'),
    'far away': (dict(bbox=[64, 0, 10, 5]), 'outside of its image'),
    'NaN': (dict(bbox=[math.nan, 0, 10, 5]), 'expected four numbers'),
    'infinite': (dict(bbox=[0, 0, math.inf, 5]), 'expected four numbers'),
    'strings': (dict(bbox=['1', '2', '3', '4']), 'expected four numbers'),
    'three numbers': (dict(bbox=[1, 2, 3]), 'expected four numbers'),
    'no box': (dict(bbox=None), 'bbox None; expected four numbers'),
    'no area': (dict(area=None), 'area None; expected that of the object'),
    'negative area': (dict(area=-1), 'area -1'),
    'no mask': (dict(segmentation=None), 'no segmentation but the pipeline loads masks'),
    'empty mask': (dict(segmentation=[]), 'no segmentation'),
}


@pytest.mark.parametrize('name', OBJECTS)
def test_wrong_objects(name: str) -> None:
    changes, message = OBJECTS[name]
    found = content()
    found['annotations'][1].update(changes)
    with pytest.raises(ValueError, match=rf'file\.json: annotations\[1\] \(id 2\) has .*{message}'):
        check(found)
    for key, value in changes.items():
        if value is None:  # left out is the same
            del found['annotations'][1][key]
            with pytest.raises(ValueError, match=message):
                check(found)


def test_masks_may_be_missing_where_only_boxes_are_read() -> None:
    found = content()
    del found['annotations'][1]['segmentation']
    check(found, masks=False)
    assert not has_masks(found)


SECTIONS: dict[str, tuple[Any, str]] = {
    'a list': ([], 'is no COCO annotation file'),
    'annotations no list': (content() | dict(annotations={}), 'is no COCO annotation file'),
    'records no mappings': (content() | dict(images=['a.jpg']), 'is no COCO annotation file'),
    'no images': (content() | dict(images=[]), 'lists no image;'),
    'no annotations': (content() | dict(annotations=[]), 'lists no annotation;'),
    'no categories': (content() | dict(categories=[]), 'lists no category;'),
    'same image id': (
        content() | dict(images=content()['images'] * 2),
        r'file.json: images\[2\] has id 7 again',
    ),
    'same annotation id': (
        content() | dict(annotations=content()['annotations'] * 2),
        r'annotations\[3\] has id 1 again',
    ),
    'no id': (content() | dict(images=[dict(file_name='a')]), r'images\[0\] has id None'),
    'no file name': (
        content() | dict(images=[dict(id=7)]),
        r'images\[0\] \(id 7\) has no file_name',
    ),
    'no width': (
        content() | dict(images=[dict(id=7, file_name='a', width='64', height=48)]),
        r"\(id 7\) has width '64'",
    ),
    'a name twice': (
        content()
        | dict(categories=[dict(id=i, name=n) for i, n in enumerate(('cat', 'cat', 'dog'))]),
        "have the name 'cat' more than once",
    ),
    'another order': (
        content() | dict(categories=content()['categories'][::-1]),
        'in another order, so labels would be mixed up',
    ),
    'a class missing': (
        content() | dict(categories=content()['categories'][:1]),
        r"missing from the file \['dog'\]",
    ),
}


@pytest.mark.parametrize('name', SECTIONS)
def test_wrong_files(name: str) -> None:
    found, message = SECTIONS[name]
    with pytest.raises(ValueError, match=message):
        check(found)


def test_a_whole_file_without_a_section() -> None:
    for name in content():
        found = content()
        del found[name]
        with pytest.raises(ValueError, match=r'file\.json is no COCO annotation file'):
            check(found)
