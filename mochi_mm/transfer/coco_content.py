"""Checks of a COCO annotation file, so that nothing is dropped or mixed up in silence."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Any, TypeGuard

from mochi_mm.argument_kinds import is_integer, is_number
from mochi_mm.files.inner_path import check_inner
from mochi_mm.transfer.coco_mask import leaves, mask_fault


def check_coco(content: Any, path: str, classes: Sequence[str], masks: bool) -> None:
    """Check the whole content of a file of instances.

    Boxes without width or height pass, since COCO's own train2017 has two; mmdet leaves them out.
    Corners [x0, y0, x1, y1] in the place of [x, y, width, height] are told by boxes that leave
    their image, by areas, if all of them are those of the corners, and by the polygons.

    Args:
        content: Content of the JSON file.
        path: The file, for the errors.
        classes: Names of the categories, in the order of the labels.
        masks: Whether masks are loaded too.

    Raises:
        ValueError: With the file, the first record that is wrong, and what was expected.
    """
    sections = ('images', 'annotations', 'categories')
    if not isinstance(content, dict) or not all(
        isinstance(content.get(name), list) and all(isinstance(r, dict) for r in content[name])
        for name in sections
    ):
        raise ValueError(
            f'{path} is no COCO annotation file; expected a JSON object with the lists images, '
            'annotations and categories.'
        )
    for name, what in zip(sections, ('image', 'annotation', 'category'), strict=True):
        if not content[name]:
            raise ValueError(f'{path} lists no {what}; expected at least one.')
        _check_ids(content[name], f'{path}: {name}')
    _check_categories(content['categories'], path, list(classes))
    for i, image in enumerate(content['images']):
        _check_image(image, f'{path}: images[{i}] (id {image["id"]})')
    _check_names(content['images'], path)
    sizes = image_sizes(content)
    categories = {category['id'] for category in content['categories']}
    for i, record in enumerate(content['annotations']):
        where = f'{path}: annotations[{i}] (id {record["id"]})'
        if record['id'] < 1:
            raise ValueError(
                f'{where}: COCO counts an object of id 0 as never found; number annotations from 1.'
            )
        _known(record, 'image_id', sizes, where)
        _known(record, 'category_id', categories, where)
        _check_object(record, where, sizes[record['image_id']], masks)
    _check_corners(content['annotations'], path)


def image_sizes(content: Any) -> dict[int, tuple[int, int]]:
    """Return (width, height) of each image of a checked file, by id."""
    return {image['id']: (image['width'], image['height']) for image in content['images']}


def first_mask_fault(content: Any, path: str) -> str | None:
    """Return the fault of the first wrong mask of a checked file, or None."""
    sizes = image_sizes(content)
    for i, record in enumerate(content['annotations']):
        fault = _mask_fault(record, sizes[record['image_id']])
        if fault is not None:
            return f'{path}: annotations[{i}] (id {record["id"]}) has {fault}'
    return None


def _check_ids(records: list[dict[str, Any]], where: str) -> None:
    seen = set()
    for i, record in enumerate(records):
        number = record.get('id')
        if not is_integer(number):
            raise ValueError(f'{where}[{i}] has id {number!r}; expected a whole number.')
        if number in seen:
            raise ValueError(f'{where}[{i}] has id {number} again; expected one record an id.')
        seen.add(number)


def _check_categories(categories: list[dict[str, Any]], path: str, wanted: list[str]) -> None:
    found = [category.get('name') for category in categories]
    if found == wanted and len(set(found)) == len(found):
        return
    twice = sorted({str(name) for name in found if found.count(name) > 1})
    if twice:
        raise ValueError(
            f'categories of {path} have the name {twice[0]!r} more than once; expected one '
            'category a class. Merge them in the file.'
        )
    missing = [name for name in wanted if name not in found]
    unknown = [name for name in found if name not in wanted]
    if missing or unknown:
        raise ValueError(
            f'categories of {path} are not the classes of the config: missing from the file '
            f'{missing or "none"}, unknown to the config {unknown or "none"}. Set '
            f'metainfo.classes to {tuple(found)} and num_classes to {len(found)}.'
        )
    raise ValueError(
        f'categories of {path} are the classes of the config in another order, so labels '
        f'would be mixed up; set metainfo.classes to {tuple(found)}.'
    )


def _check_image(image: dict[str, Any], where: str) -> None:
    if not isinstance(image.get('file_name'), str):
        raise ValueError(f'{where} has no file_name; expected the name of the image file.')
    check_inner(image['file_name'], where)
    for side in ('width', 'height'):
        value = image.get(side)
        if not isinstance(value, int) or value < 1:
            raise ValueError(f'{where} has {side} {value!r}; expected a number of pixels.')


def _check_names(images: list[dict[str, Any]], path: str) -> None:
    seen: dict[str, int] = {}
    for i, image in enumerate(images):
        name = image['file_name']
        if name in seen:
            raise ValueError(
                f'{path}: images[{i}] (id {image["id"]}) has file_name {name!r} like id '
                f'{seen[name]}, so each would train without the objects of the other; expected one '
                'record an image. Merge the two.'
            )
        seen[name] = image['id']


def _known(record: dict[str, Any], key: str, known: Collection[int], where: str) -> None:
    value = record.get(key)
    if type(value) is not int or value not in known:
        section = dict(image_id='images', category_id='categories')[key]
        raise ValueError(f'{where} has {key} {value!r}, which no record of {section} has as id.')


def _check_object(record: dict[str, Any], where: str, size: tuple[int, int], masks: bool) -> None:
    box = record.get('bbox')
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box)):
        raise ValueError(
            f'{where} has bbox {box!r}; expected four numbers [x, y, width, height] in pixels.'
        )
    x, y, width, height = box
    if width < 0 or height < 0:
        raise ValueError(
            f'{where} has bbox {box} of negative size; expected [x, y, width, height].'
        )
    outside = x + width <= 0 or y + height <= 0 or x >= size[0] or y >= size[1]
    if outside and width > 0 and height > 0:
        raise ValueError(
            f'{where} has bbox {box} outside of its image of (width, height) = {size}; expected '
            '[x, y, width, height] in pixels.'
        )
    if leaves(x, x + width, size[0]) or leaves(y, y + height, size[1]):
        corners = x <= width <= size[0] and y <= height <= size[1]
        hint = ' It fits as corners: subtract the first two numbers from the others.'
        raise ValueError(
            f'{where} has bbox {box}, which leaves its image of (width, height) = {size}; expected '
            f'[x, y, width, height] in pixels, cut at the edge, not [x0, y0, x1, y1].'
            f'{hint if corners else ""}'
        )
    if record.get('iscrowd', 0) not in (0, 1) or isinstance(record.get('iscrowd'), str):
        raise ValueError(f'{where} has iscrowd {record["iscrowd"]!r}; expected 0 or 1.')
    area = record.get('area')
    if not _is_number(area) or area < 0:
        raise ValueError(
            f'{where} has area {area!r}; expected that of the object in square pixels (without a '
            'mask, width times height of its box).'
        )
    if area > 2 * size[0] * size[1]:
        raise ValueError(
            f'{where} has area {area!r} in an image of (width, height) = {size}; expected that of '
            'the object in square pixels.'
        )
    fault = _mask_fault(record, size) if masks else None
    if fault is not None:
        raise ValueError(f'{where} has {fault}.')


def _mask_fault(record: dict[str, Any], size: tuple[int, int]) -> str | None:
    mask = record.get('segmentation')
    if mask in (None, [], {}):
        return (
            'no segmentation but the pipeline loads masks, or a metric measures them; expected '
            'polygons or run lengths, or a detector without mask_head and with_mask=False'
        )
    return mask_fault(mask, size, record['bbox'])


def _check_corners(annotations: list[dict[str, Any]], path: str) -> None:
    """Raise where every area is that of the box read as corners, and some not as it should be."""
    first: int | None = None
    for i, record in enumerate(annotations):
        x0, y0, x1, y1 = record['bbox']
        area = record['area']
        if x1 < x0 or y1 < y0 or not math.isclose((x1 - x0) * (y1 - y0), area, rel_tol=1e-3):
            return
        if first is None and not math.isclose(x1 * y1, area, rel_tol=1e-3):
            first = i
    if first is not None:
        record = annotations[first]
        raise ValueError(
            f'{path}: annotations[{first}] (id {record["id"]}) has bbox {record["bbox"]} and area '
            f'{record["area"]}, which is that of corners [x0, y0, x1, y1], here as everywhere in '
            'the file; expected [x, y, width, height]: subtract the first two numbers from the '
            'others.'
        )


def _is_number(value: Any) -> TypeGuard[float]:
    return is_number(value) and math.isfinite(value)
