"""Thinning of long curves, so that a page about long runs stays small."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

#: Values of a curve that a page holds at most, about two for each pixel of a chart.
MOST = 1000


def thinned(
    x: Sequence[float], y: Sequence[float], most: int = MOST
) -> tuple[list[float], list[float]]:
    """Return a curve of at most ``most`` values that looks as the whole one does.

    Nothing is averaged: the curve is cut into stretches, and of each the first value, the lowest,
    the highest and a gap (NaN) stay; so does the last value of all. A curve that is short enough
    stays whole.

    Args:
        x: Places.
        y: Values; NaN is a gap.
        most: How many values stay at most, at least 5.

    >>> thinned(range(10), [0, 1, 9, 1, 0, 1, 0, -9, 1, 2], most=9)
    ([0, 2, 4, 5, 7, 9], [0, 9, 0, 1, -9, 2])
    """
    if len(x) <= most:
        return list(x), list(y)
    values = np.asarray(y, dtype=float)
    kept = {len(x) - 1}
    edges = np.linspace(0, len(x) - 1, (most - 1) // 4 + 1).astype(int)
    for begin, end in pairwise(edges):
        part = values[begin:end]
        kept.add(int(begin))
        gaps = np.isnan(part)
        if gaps.any():
            kept.add(int(begin + gaps.argmax()))
        if not gaps.all():
            kept |= {int(begin + np.nanargmin(part)), int(begin + np.nanargmax(part))}
    places = sorted(kept)
    return [x[place] for place in places], [y[place] for place in places]
