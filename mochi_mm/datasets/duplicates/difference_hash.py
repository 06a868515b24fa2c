"""The difference hash of an image: where it grows brighter from left to right."""

from __future__ import annotations

from functools import cache

import numpy as np

from mochi_mm.datasets.duplicates.area_weights import area_weights

#: Parts of an image that are hashed, as margins (left, top, right, bottom) in 32nds: the whole, its
#: middle, and what is left when two sides have lost a sixteenth.
WINDOWS = (
    (0, 0, 0, 0),
    (1, 1, 1, 1),
    (2, 2, 2, 2),
    (2, 2, 0, 0),
    (0, 2, 2, 0),
    (2, 0, 0, 2),
    (0, 0, 2, 2),
)


def window_hashes(small: np.ndarray) -> np.ndarray:
    """Return the difference hashes (7,) uint64 of the windows of a picture, the whole one first.

    A window is averaged to 8 rows of 9 gray levels; a bit says whether a level is above its left
    neighbor. Brightness and contrast leave it as it is, and a picture that lost its margin has the
    hash of a window of the other.

    Args:
        small: (32, 32, 3) uint8, from :func:`~mochi_mm.datasets.duplicates.thumbnail.thumbnail`.

    >>> import numpy as np
    >>> ramp = np.repeat(np.arange(32, dtype=np.uint8)[None, :, None], 32, 0).repeat(3, 2)
    >>> [hex(int(h)) for h in window_hashes(ramp)[:2]]
    ['0xffffffffffffffff', '0xffffffffffffffff']
    >>> int(window_hashes(ramp[:, ::-1])[0])
    0
    """
    gray = small.astype(np.float32) @ np.array([0.299, 0.587, 0.114], dtype=np.float32)  # (32, 32)
    hashes = np.empty(len(WINDOWS), dtype=np.uint64)
    for number, (down, across) in enumerate(_weights(small.shape[0])):
        levels = down @ gray @ across  # (8, 9)
        bits = levels[:, 1:] > levels[:, :-1]  # (8, 8)
        hashes[number] = np.packbits(bits).view('>u8')[0]
    return hashes


@cache
def _weights(side: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return (8, side) and (side, 9) weights of the pixels, for each window."""
    return [
        (area_weights(side, 8, top, bottom).T, area_weights(side, 9, left, right))
        for left, top, right, bottom in WINDOWS
    ]
