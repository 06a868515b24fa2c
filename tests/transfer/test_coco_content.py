"""One wrong record is found and named; what COCO itself holds passes."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

pytest.importorskip('mmdet', reason='mmdet is not installed')

from pycocotools import mask as coco_masks

from mochi_mm.transfer.coco_content import check_coco, first_mask_fault
from mochi_mm.transfer.coco_mask import _extent_of_runs

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


def moved(box: list[float]) -> list[list[float]]:
    """A polygon around a box."""
    x, y, width, height = box
    return [[x, y, x + width, y, x + width, y + height, x, y + height]]


def check(found: Any, masks: bool = True) -> None:
    check_coco(found, 'file.json', ('cat', 'dog'), masks)


@pytest.mark.parametrize(
    'box', [[10, 10, 1.03, 0.0], [-0.5, -2, 10, 10], [60, 40, 4.01, 8.3], [0, 0, 64, 48]]
)
def test_what_coco_holds_passes(box: list[float]) -> None:
    """Boxes of no height, and edges a little outside."""
    found = content()
    found['annotations'][1].update(bbox=box, segmentation=moved(box))
    check(found)
    assert first_mask_fault(found, 'file.json') is None


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
    'area beyond the image': (dict(area=1e9), r'area 1000000000.0 in an image of'),
    'a truth as a class': (dict(category_id=True), 'category_id True'),
    'no mask': (dict(segmentation=None), 'no segmentation but the pipeline loads masks'),
    'empty mask': (dict(segmentation=[]), 'no segmentation'),
    'beyond the right edge': (dict(bbox=[30, 10, 44, 25]), r'leaves its image .* as corners: subt'),
    'beyond the lower edge': (
        dict(bbox=[0, 30, 10, 30]),
        r'leaves its image .*not \[x0, y0, x1, y1\]',
    ),
    'beyond all edges': (dict(bbox=[-9, -9, 99, 99]), 'leaves its image'),
    'crowd in words': (dict(iscrowd='0'), "iscrowd '0'; expected 0 or 1"),
    'crowd of two': (dict(iscrowd=2), 'iscrowd 2; expected 0 or 1'),
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
    assert 'annotations[1] (id 2) has no segmentation' in str(first_mask_fault(found, 'file.json'))


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
    'an image twice': (
        content()
        | dict(images=[dict(id=i, file_name='a.jpg', width=64, height=48) for i in (7, 9)]),
        r"images\[1\] \(id 9\) has file_name 'a.jpg' like id 7",
    ),
    'an id that is true': (content() | dict(images=[dict(id=True)]), r'images\[0\] has id True'),
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


MASKS: dict[str, tuple[Any, str]] = {
    'two points': ([[10, 10, 20, 20]], r'a polygon \[10, 10, 20, 20\] has 2 points'),
    'two points beside a good part': ([*SQUARE, [10, 10, 20, 20]], 'has 2 points'),
    'no point': ([[]], 'has 0 points'),
    'odd length': ([[10, 10, 20, 10, 20, 20, 10]], 'has 7 numbers, which are no pairs'),
    'outside': (
        [[100, 10, 110, 10, 110, 20]],
        r'leaves the image of \(width, height\) = \(64, 48\)',
    ),
    'below': ([[10, 100, 20, 100, 20, 110]], 'leaves the image'),
    'one point far away': ([[10, 10, 20, 10, 1e9, 20]], 'leaves the image'),
    'a flat list': (SQUARE[0], 'a flat list: put it into another pair of brackets'),
    'null': ([[10, 10, None, 10, 20, 20]], 'holds something else than numbers'),
    'null in the place of a polygon': (
        [None, SQUARE[0]],
        r'segmentation \[None, .*expected polygons',
    ),
    'NaN': ([[10, 10, math.nan, 10, 20, 20]], 'holds something else than numbers'),
    'texts': ([['10', '10', '20', '10', '20', '20']], 'holds something else than numbers'),
    'pairs': ([[[10, 10], [20, 10], [20, 20]]], 'holds something else than numbers'),
    'a text': ('10,10,20,20', "segmentation '10,10,20,20'; expected polygons"),
    'points on a line': ([[10, 10, 15, 15, 20, 20]], 'that covers nothing'),
    'elsewhere': ([[40, 30, 50, 30, 50, 40]], 'but its polygons lie elsewhere'),
    'run lengths of another size': (
        dict(size=[480, 640], counts=[0, 307200]),
        r'a run-length mask of size \[480, 640\]; expected \[height, width\] = \[48, 64\]',
    ),
    'run lengths turned': (dict(size=[64, 48], counts=[0, 3072]), r'its sides exchanged; expected'),
    'run lengths too short': (
        dict(size=[48, 64], counts=[0, 100]),
        'add up to 100, .* 3072 pixels',
    ),
    'run lengths below zero': (dict(size=[48, 64], counts=[-5, 3077]), 'the least -5'),
    'no run lengths': (dict(size=[48, 64]), 'with counts None; expected whole numbers'),
    'null among run lengths': (dict(size=[48, 64], counts=[0, None]), r'with counts \[0, None\]'),
    'no pixel': (dict(size=[48, 64], counts=[3072]), 'a run-length mask without a pixel'),
    'a text that is none': (dict(size=[48, 64], counts='a\n'), "with counts 'a.*; expected whole"),
    'a text too short': (dict(size=[48, 64], counts='01'), 'add up to 1, '),
    'run lengths elsewhere': (
        dict(size=[48, 64], counts=[48 * 50 + 30, 8, 3072 - 48 * 50 - 38]),
        r'its run-length mask covers x 50 to 51 and y 30 to 38; expected mask and box of the same',
    ),
}


@pytest.mark.parametrize('name', MASKS)
def test_wrong_masks(name: str) -> None:
    mask, message = MASKS[name]
    found = content()
    found['annotations'][1]['segmentation'] = mask
    with pytest.raises(ValueError, match=rf'file\.json: annotations\[1\] \(id 2\) has .*{message}'):
        check(found)
    assert re.search(message, str(first_mask_fault(found, 'file.json')))
    check(found, masks=False)  # nothing reads them


def test_run_lengths_in_both_forms_pass() -> None:
    """Random masks, their lengths counted one pixel after the other, and pycocotools' text."""
    rng = np.random.default_rng(0)
    for share in (0.02, 0.5, 1.0):
        mask = np.asfortranarray((rng.random((48, 64)) <= share).astype(np.uint8))
        lengths, last = [0], 0
        for pixel in mask.ravel(order='F').tolist():
            if pixel != last:
                lengths.append(0)
                last = pixel
            lengths[-1] += 1
        text = coco_masks.encode(mask)['counts'].decode()
        for counts in (lengths, text):
            found = content()
            found['annotations'][1]['segmentation'] = dict(size=[48, 64], counts=counts)
            check(found)


def test_extent_of_run_lengths() -> None:
    """Against the pixels themselves, also where a run goes on at the top of the next column."""
    rng = np.random.default_rng(1)
    for _ in range(200):
        mask = np.zeros((7, 9), dtype=np.uint8)
        flat = mask.ravel(order='F').copy()
        start, length = rng.integers(0, 60), rng.integers(1, 20)
        flat[start : start + length] = 1
        flat[rng.integers(0, 63)] = 1
        mask = flat.reshape(7, 9, order='F')
        lengths, last = [0], 0
        for pixel in flat.tolist():
            if pixel != last:
                lengths.append(0)
                last = pixel
            lengths[-1] += 1
        rows, columns = np.nonzero(mask)
        expected = columns.min(), columns.max() + 1, rows.min(), rows.max() + 1
        assert _extent_of_runs(lengths, 7) == expected


def test_a_polygon_that_crosses_itself_covers_something() -> None:
    found = content()
    bow_tie = [[10, 10, 20, 20, 20, 10, 10, 20]]
    found['annotations'][1].update(segmentation=bow_tie)
    assert first_mask_fault(found, 'file.json') is None


def corners(found: dict[str, Any]) -> None:
    """Write every box as its corners."""
    for record in found['annotations']:
        x, y, width, height = record['bbox']
        record['bbox'] = [x, y, x + width, y + height]


def test_corners_are_told_by_polygons() -> None:
    found = content()
    corners(found)
    with pytest.raises(ValueError, match=r'\(id 1\) has bbox .*far corner of its polygons'):
        check(found)


def test_corners_are_told_by_areas_where_no_mask_is_read() -> None:
    """All boxes stay inside of their image, read either way."""
    found = content()
    for i, record in enumerate(found['annotations']):
        del record['segmentation']
        record.update(bbox=[i, 2 * i, 10, 5 + i], area=10 * (5 + i))
    check(found, masks=False)
    corners(found)
    match = (
        r'annotations\[1\] \(id 2\) has bbox \[1, 2, 11, 8\] and area 60, which is that of corners'
    )
    with pytest.raises(ValueError, match=match):
        check(found, masks=False)
