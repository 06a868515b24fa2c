"""Checks of a COCO segmentation, so that its mask is the one that was drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from operator import mul
from typing import Any

#: Pixels, and share of a side, that a box or a polygon may leave the image by: annotation tools
#: round, and some let the pen stray.
SLACK_PIXELS, SLACK_SHARE = 2.0, 0.01
_EXPECTED = 'expected polygons [[x, y, x, y, ...], ...] of at least three points each, in pixels'


def mask_fault(mask: Any, size: tuple[int, int], box: Sequence[float]) -> str | None:
    """Return the fault of a segmentation, None where there is none.

    Args:
        mask: Segmentation of the record: polygons, or run lengths, compressed or not.
        size: (width, height) of the image.
        box: [x, y, width, height] of the object.
    """
    if isinstance(mask, Mapping):
        return _run_length_fault(mask, size)
    if not isinstance(mask, list) or not mask:
        return f'segmentation {_short(mask)}; {_EXPECTED}'
    if not all(isinstance(polygon, list) for polygon in mask):
        flat = all(isinstance(number, (int, float)) for number in mask)
        hint = ' (a flat list: put it into another pair of brackets)' if flat else ''
        return f'segmentation {_short(mask)}{hint}; {_EXPECTED}'
    for polygon in mask:
        fault = _polygon_fault(polygon, size)
        if fault is not None:
            return f'a polygon {_short(polygon)} {fault}; {_EXPECTED}'
    if box[2] < 1 or box[3] < 1:  # left out anyway; COCO itself has two of no height
        return None
    if not any(abs(_area(polygon)) > 1e-6 for polygon in mask):  # square pixels
        return f'segmentation {_short(mask)} that covers nothing; {_EXPECTED}'
    return _box_fault(mask, box)


def leaves(low: float, high: float, side: int) -> bool:
    """Return whether ``low`` to ``high`` leaves an image side by more than the slack."""
    slack = max(SLACK_PIXELS, SLACK_SHARE * side)
    return low < -slack or high > side + slack


def _polygon_fault(polygon: list[Any], size: tuple[int, int]) -> str | None:
    if not set(map(type, polygon)) <= {int, float} or not math.isfinite(sum(polygon)):
        return 'holds something else than numbers'
    if len(polygon) % 2:
        return f'has {len(polygon)} numbers, which are no pairs'
    if len(polygon) < 6:
        return f'has {len(polygon) // 2} points'
    for start, side in enumerate(size):
        line = polygon[start::2]
        if leaves(min(line), max(line), side):
            return f'leaves the image of (width, height) = {size}'
    return None


def _box_fault(polygons: list[list[float]], box: Sequence[float]) -> str | None:
    """Return the mismatch between the polygons of an object and its box."""
    x, y, width, height = box
    right, bottom = (max(max(p[axis::2]) for p in polygons) for axis in (0, 1))
    far = max(abs(right - x - width), abs(bottom - y - height)) > 2
    if far and abs(right - width) <= 1 and abs(bottom - height) <= 1:
        return (
            f'bbox {list(box)}, whose last two numbers are the far corner of its polygons; '
            'expected [x, y, width, height], not [x0, y0, x1, y1]'
        )
    if not any(_meets(polygon, box) for polygon in polygons):
        return (
            f'bbox {list(box)} but its polygons lie elsewhere, the first at '
            f'{_short(polygons[0])}; expected mask and box of the same object'
        )
    return None


def _area(polygon: Sequence[float]) -> float:
    """Return twice the area of a polygon, signed by its direction."""
    x, y = polygon[0::2], polygon[1::2]
    return sum(map(mul, x, [*y[1:], y[0]])) - sum(map(mul, y, [*x[1:], x[0]]))


def _meets(polygon: Sequence[float], box: Sequence[float], slack: float = 1.0) -> bool:
    """Return whether the extent of a polygon comes within a pixel of a box."""
    return all(
        min(polygon[axis::2]) <= box[axis] + box[axis + 2] + slack
        and max(polygon[axis::2]) >= box[axis] - slack
        for axis in (0, 1)
    )


def _run_length_fault(mask: Mapping[str, Any], size: tuple[int, int]) -> str | None:
    width, height = size
    said = mask.get('size')
    if said != [height, width]:
        turned = ', its sides exchanged' if said == [width, height] else ''
        return (
            f'a run-length mask of size {_short(said)}{turned}; expected [height, width] = '
            f'{[height, width]} of its image'
        )
    counts = mask.get('counts')
    lengths = _decompressed(counts) if isinstance(counts, str) else counts
    if not isinstance(lengths, list) or not set(map(type, lengths)) <= {int}:
        return f'a run-length mask with counts {_short(counts)}; expected whole numbers, or a text'
    if any(length < 0 for length in lengths) or sum(lengths) != width * height:
        return (
            f'run lengths that add up to {sum(lengths)}, the least {min(lengths, default=0)}; '
            f'expected none below 0, and {width * height} pixels of the image in all'
        )
    if not any(lengths[1::2]):
        return 'a run-length mask without a pixel; expected at least one'
    return None


def _decompressed(text: str) -> list[int] | None:
    """Return the run lengths that COCO's compressed text stands for, None where it is none.

    Each is written in digits of five bits from the lowest on, 32 added where more follow, 48 to
    be printable; from the fourth on it is the difference to the length two before.
    """
    lengths: list[int] = []
    value = shift = 0
    for character in text:
        digit = ord(character) - 48
        if not 0 <= digit < 64 or shift > 60:
            return None
        value |= (digit & 31) << shift
        shift += 5
        if digit & 32:
            continue
        if digit & 16:
            value -= 1 << shift
        lengths.append(value + (lengths[-2] if len(lengths) > 2 else 0))
        value = shift = 0
    return None if shift else lengths


def _short(value: Any, most: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= most else f'{text[:most]}...'
