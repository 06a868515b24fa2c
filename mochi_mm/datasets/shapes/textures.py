"""Textures: two colors and a pattern that blends them, and the cluttered background.

Shapes are brighter than the background on average, whatever their color, kind and texture, so
they can be told from it; hue and texture are drawn without looking at the kind.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

TEXTURES: tuple[str, ...] = ('plain', 'stripes', 'dots', 'checks', 'noise')
LUMA = np.array([0.299, 0.587, 0.114], np.float32)

# Mean brightness of background and shapes, in [0, 1], and how strongly colors are saturated.
BACKGROUND_LUMA, SHAPE_LUMA, SATURATION = 0.3, 0.75, 0.6
# Where the hue is given: how far the two colors of a texture are apart in brightness, of 1.5.
HUE_CONTRAST = 0.2


@lru_cache(maxsize=8)
def _grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    ys, xs = np.mgrid[:size, :size].astype(np.float32)
    return xs, ys


def _wave(coordinate: np.ndarray, phase: float) -> np.ndarray:
    """Return a square wave of period 1 with soft edges, in [0, 1]."""
    return np.clip(0.5 + 1.5 * np.sin(2 * np.pi * (coordinate + np.float32(phase))), 0, 1)


def smooth_noise(rng: np.random.Generator, size: int, cells: int, channels: int = 1) -> np.ndarray:
    """Return (size, size[, channels]) float32: ``cells`` x ``cells`` uniform numbers, enlarged."""
    coarse = rng.random((cells, cells, channels), np.float32)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


def pattern(rng: np.random.Generator, name: str, size: int, period: float) -> np.ndarray:
    """Return the weight of the second color of a texture, (size, size) float32 in [0, 1].

    Args:
        rng: Generator that orientation and phase are drawn from.
        name: One of :data:`TEXTURES`.
        size: Side of the square image, pixels.
        period: Distance of two repetitions, pixels.

    Raises:
        KeyError: ``name`` is not a texture.
    """
    angle, phase_u, phase_v = rng.random(3)
    if name == 'plain':
        return np.zeros((size, size), np.float32)
    if name == 'noise':
        return np.clip(smooth_noise(rng, size, max(2, round(2 * size / period))), 0, 1)
    xs, ys = _grid(size)
    cos, sin = np.cos(2 * np.pi * angle) / period, np.sin(2 * np.pi * angle) / period
    u = np.float32(cos) * xs + np.float32(sin) * ys
    v = np.float32(cos) * ys - np.float32(sin) * xs
    if name == 'stripes':
        return _wave(u, phase_u)
    if name == 'checks':
        a, b = _wave(u, phase_u), _wave(v, phase_v)
        return a + b - 2 * a * b
    if name == 'dots':
        turn = np.float32(2 * np.pi)
        bumps = np.cos(turn * (u + np.float32(phase_u))) * np.cos(turn * (v + np.float32(phase_v)))
        return np.clip(0.5 + 3 * (np.abs(bumps) - 0.5), 0, 1)
    raise KeyError(f'{name!r} is not a texture; known textures: {", ".join(TEXTURES)}.')


def color_of_luma(rng: np.random.Generator, luma: float) -> np.ndarray:
    """Return a random RGB color of the given brightness, (3,) float32 in [0, 1]."""
    color = rng.random(3, np.float32)
    tint = SATURATION * (color - color @ LUMA)
    return np.clip(luma + tint, 0, 1).astype(np.float32)


def shape_colors(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the two colors of a shape, each (3,) float32 in [0, 1]."""
    first = color_of_luma(rng, SHAPE_LUMA + 0.1 * (rng.random() - 0.5))
    second = color_of_luma(rng, SHAPE_LUMA + 0.3 * (rng.random() - 0.5))
    return first, second


def hue_colors(rng: np.random.Generator, hue: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the two colors of a shape of a hue, a lighter and a darker one, each (3,) float32.

    Args:
        rng: Moves both brightnesses a little.
        hue: Position on the color circle in [0, 1); 0 is red, 1/3 green.
    """
    # (3,) the pure color
    pure = np.clip(np.abs((hue + np.array([0, 2 / 3, 1 / 3])) % 1 * 6 - 3) - 1, 0, 1)
    tint = SATURATION * (pure - pure @ LUMA)
    lumas = SHAPE_LUMA + HUE_CONTRAST * np.array([0.5, -1.0]) + 0.1 * (rng.random(2) - 0.5)
    first, second = (np.clip(luma + tint, 0, 1).astype(np.float32) for luma in lumas)
    return first, second


def background(rng: np.random.Generator, size: int) -> np.ndarray:
    """Return a cluttered background, (size, size, 3) float32 RGB in about [0, 1].

    Smooth color noise and a faint texture, with up to three stray strokes on top.
    """
    cells = int(rng.integers(2, 6))
    image = BACKGROUND_LUMA + 0.3 * (smooth_noise(rng, size, cells, 3) - 0.5)
    name = TEXTURES[rng.integers(len(TEXTURES))]
    weight = pattern(rng, name, size, size * rng.uniform(0.08, 0.25))
    image += (0.1 * (rng.random(3, np.float32) - 0.5)) * weight[..., None]
    image = np.ascontiguousarray(image, np.float32)
    for _ in range(rng.integers(4)):
        color = tuple(float(BACKGROUND_LUMA + 0.4 * (c - 0.5)) for c in rng.random(3))
        thickness = int(rng.integers(1, 2 + size // 32))
        points = np.round(16 * size * rng.random((3, 2))).astype(np.int32)
        cv2.polylines(image, [points], False, color, thickness, cv2.LINE_8, shift=4)
    return image
