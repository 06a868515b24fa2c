"""Boxes that are drawn on one size of an image and cut out of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Box = tuple[int, int, int, int]
Size = tuple[int, int]


def scaled_box(box: Box, drawn: Size, size: Size) -> Box:
    """Return a box (top, left, height, width) of an image of another size, in whole pixels.

    Its four sides are rounded to the nearest pixel, and it keeps a pixel at least.

    Args:
        box: Within an image of the size ``drawn``.
        drawn: (width, height) of the image that the box was drawn for.
        size: (width, height) of the same image as it is there.

    >>> scaled_box((10, 20, 100, 200), (400, 200), (200, 100))
    (5, 10, 50, 100)
    """
    if drawn == size:
        return box
    top, height = _scaled(box[0], box[2], drawn[1], size[1])
    left, width = _scaled(box[1], box[3], drawn[0], size[0])
    return top, left, height, width


def drawn_size(results: Mapping[str, Any]) -> Size:
    """Return the size (width, height) on which boxes of ``results['img']`` are drawn.

    Its own; or that of the file, where a data set holds the image smaller and says so by
    ``drawn_on``, the image with that size. It counts for this very image alone: one that a
    transform has made of it is what it is.
    """
    image, size = results.get('drawn_on', (None, (0, 0)))
    if image is not None and image is results['img']:
        return size
    return results['img'].size


def _scaled(start: int, length: int, drawn: int, size: int) -> tuple[int, int]:
    first = min(round(start * size / drawn), size - 1)
    last = round((start + length) * size / drawn)
    return first, max(1, min(last, size) - first)
