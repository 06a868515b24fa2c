"""Checks of a COCO segmentation, so that its mask is the one that was drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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
        return _run_length_fault(mask, size, box)
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
    if all(map(_is_line, mask)):
        return f'segmentation {_short(mask)} that covers nothing; {_EXPECTED}'
    corners = [max(max(p[axis::2]) for p in mask) for axis in (0, 1)]
    fault = _corner_fault(corners, box, 'polygons')
    if fault is None and not any(_meets(_extent(polygon), box) for polygon in mask):
        fault = (
            f'bbox {list(box)} but its polygons lie elsewhere, the first at {_short(mask[0])}; '
            'expected mask and box of the same object'
        )
    return fault


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


def _corner_fault(corners: Sequence[float], box: Sequence[float], what: str) -> str | None:
    """Return the fault of a box whose last two numbers are the far corner of its mask.

    Args:
        corners: Largest x and y of the mask.
        box: [x, y, width, height], as it should be.
        what: Name of the mask's parts.
    """
    x, y, width, height = box
    far = max(abs(corners[0] - x - width), abs(corners[1] - y - height)) > 2
    if far and abs(corners[0] - width) <= 1 and abs(corners[1] - height) <= 1:
        return (
            f'bbox {list(box)}, whose last two numbers are the far corner of its {what}; '
            'expected [x, y, width, height], not [x0, y0, x1, y1]'
        )
    return None


def _is_line(polygon: Sequence[float]) -> bool:
    """Return whether all points of a polygon lie on one line, so that it covers nothing."""
    x, y = ([value - start[0] for value in start] for start in (polygon[0::2], polygon[1::2]))
    far = max(range(len(x)), key=lambda i: abs(x[i]) + abs(y[i]))
    return all(abs(x[i] * y[far] - y[i] * x[far]) <= 1e-6 for i in range(len(x)))


def _extent(polygon: Sequence[float]) -> tuple[float, float, float, float]:
    """Return the least and largest x, and the least and largest y of a polygon."""
    x, y = polygon[0::2], polygon[1::2]
    return min(x), max(x), min(y), max(y)


def _extent_of_runs(lengths: Sequence[int], height: int) -> tuple[int, int, int, int]:
    """Return the same of run lengths, which go down the columns: empty, covered, empty, ..."""
    left, right, top, bottom, end = 2**62, 0, height, 0, 0
    for i, length in enumerate(lengths):
        start, end = end, end + length
        if i % 2 == 0 or not length:
            continue
        first, last = start // height, (end - 1) // height
        left, right = min(left, first), max(right, last + 1)
        whole = first != last  # it goes on at the top of the next column
        top = 0 if whole else min(top, start % height)
        bottom = height if whole else max(bottom, (end - 1) % height + 1)
    return left, right, top, bottom


def _meets(extent: Sequence[float], box: Sequence[float], slack: float = 1.0) -> bool:
    """Return whether an extent comes within a pixel of a box."""
    left, right, top, bottom = extent
    x, y, width, height = box
    across = left <= x + width + slack and right >= x - slack
    return across and top <= y + height + slack and bottom >= y - slack


def _run_length_fault(
    mask: Mapping[str, Any], size: tuple[int, int], box: Sequence[float]
) -> str | None:
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
    if box[2] < 1 or box[3] < 1:
        return None
    extent = _extent_of_runs(lengths, height)
    fault = _corner_fault((extent[1], extent[3]), box, 'run-length mask')
    if fault is None and not _meets(extent, box):
        left, right, top, bottom = extent
        fault = (
            f'bbox {list(box)} but its run-length mask covers x {left} to {right} and y {top} to '
            f'{bottom}; expected mask and box of the same object'
        )
    return fault


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
