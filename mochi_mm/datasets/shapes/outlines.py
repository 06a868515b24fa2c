"""Outlines of the shape kinds, as polygons of unit area around the origin."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

Contours = tuple[np.ndarray, ...]  # each (P, 2) float64, x then y; filled by the even-odd rule


def _arc(radius: float, start: float, stop: float, points: int = 48) -> np.ndarray:
    """Return ``points`` points of a circle around the origin, angles in degrees."""
    angle = np.deg2rad(np.linspace(start, stop, points))
    return radius * np.stack([np.cos(angle), np.sin(angle)], 1)


def _regular(corners: int) -> np.ndarray:
    return _arc(1.0, 0.0, 360.0, corners + 1)[:-1]


def _star() -> np.ndarray:
    angle = np.deg2rad(36.0 * np.arange(10))
    radius = np.where(np.arange(10) % 2 == 0, 1.0, 0.42)
    return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)


def _cross(half_width: float = 0.3) -> np.ndarray:
    w = half_width
    quarter = np.array([[w, -1.0], [w, -w], [1.0, -w]])
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    return np.concatenate([quarter @ np.linalg.matrix_power(turn, k).T for k in range(4)])


def _crescent() -> np.ndarray:
    """Return a disc less an equal disc moved to the right; its horns are the crossing points."""
    shift = 0.7
    horn = np.rad2deg(np.arccos(shift / 2))
    outer = _arc(1.0, horn, 360.0 - horn)
    inner = _arc(1.0, 180.0 + horn, 180.0 - horn) + np.array([shift, 0.0])
    return np.concatenate([outer, inner[1:-1]])


def _heart() -> np.ndarray:
    t = np.linspace(0.0, 2 * np.pi, 64, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([x, -y], 1)


def _arrow() -> np.ndarray:
    return np.array(
        [[-1.0, -0.2], [0.1, -0.2], [0.1, -0.7], [1.0, 0.0], [0.1, 0.7], [0.1, 0.2], [-1.0, 0.2]]
    )


_RAW: dict[str, Contours] = {
    'disc': (_regular(64),),
    'square': (_regular(4),),
    'triangle': (_regular(3),),
    'star': (_star(),),
    'cross': (_cross(),),
    'ring': (_regular(64), 0.55 * _regular(64)),
    'crescent': (_crescent(),),
    'hexagon': (_regular(6),),
    'heart': (_heart(),),
    'arrow': (_arrow(),),
}
KINDS: tuple[str, ...] = tuple(_RAW)


def even_odd_area(contours: Contours) -> float:
    """Return the area of nested ``contours``: the largest one less those inside it (one level)."""
    areas = sorted((abs(cv2.contourArea(c.astype(np.float32))) for c in contours), reverse=True)
    return float(areas[0] - sum(areas[1:]))


@cache
def outline(kind: str) -> Contours:
    """Return the contours of ``kind``, area 1, bounding box centered at the origin.

    Equal areas keep the number of painted pixels, and so the mean color, free of the class.

    Raises:
        KeyError: ``kind`` is not one of :data:`KINDS`.
    """
    if kind not in _RAW:
        raise KeyError(f'{kind!r} is not a shape kind; known kinds: {", ".join(KINDS)}.')
    contours = _RAW[kind]
    middle = (contours[0].min(0) + contours[0].max(0)) / 2
    side = even_odd_area(contours) ** 0.5
    return tuple((c - middle) / side for c in contours)


def place(
    contours: Contours, center: np.ndarray, side: float, angle: float, stretch: float = 1.0
) -> Contours:
    """Return ``contours`` stretched, rotated, scaled and moved; the area becomes ``side ** 2``.

    Args:
        contours: Unit-area contours.
        center: (2,) new origin, pixels; pixel k spans [k, k + 1).
        side: Square root of the new area, pixels.
        angle: Rotation in radians.
        stretch: Ratio of the two axes; the area is kept.
    """
    cos, sin = np.cos(angle), np.sin(angle)
    axes = side * np.array([stretch**0.5, stretch**-0.5])
    rotation = np.array([[cos, sin], [-sin, cos]])
    return tuple((c * axes) @ rotation + center for c in contours)


def coverage(contours: Contours, size: int, oversample: int = 4) -> np.ndarray:
    """Return the share of each pixel that ``contours`` cover: (size, size) float32 in [0, 1]."""
    fine = np.zeros((size * oversample, size * oversample), np.uint8)
    fraction_bits = 4
    unit = oversample * 2**fraction_bits
    half = 2 ** (fraction_bits - 1)  # OpenCV puts (0, 0) at the middle of the first pixel
    polygons = [np.round(c * unit - half).astype(np.int32) for c in contours]
    cv2.fillPoly(fine, polygons, 255, shift=fraction_bits)
    shrunk = cv2.resize(fine, (size, size), interpolation=cv2.INTER_AREA)
    return shrunk.astype(np.float32) / 255
