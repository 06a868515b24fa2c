"""Textures: two colours and a pattern that blends them, and the cluttered background."""

from __future__ import annotations

import os
from functools import lru_cache

import cv2


def E(k,d):
    return float(os.environ.get(k,d))
import numpy as np

TEXTURES: tuple[str, ...] = ('plain', 'stripes', 'dots', 'checks', 'noise')
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@lru_cache(maxsize=8)
def _grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    ys, xs = np.mgrid[:size, :size].astype(np.float32)
    return xs, ys


def _wave(coordinate: np.ndarray, phase: float) -> np.ndarray:
    """Return a square wave of period 1 with soft edges, in [0, 1]."""
    return np.clip(0.5 + 1.5 * np.sin(2 * np.pi * (coordinate + np.float32(phase))), 0, 1)


def smooth_noise(rng: np.random.Generator, size: int, cells: int, channels: int = 1) -> np.ndarray:
    """Return (size, size[, channels]) float32: a ``cells`` x ``cells`` grid of uniform numbers, enlarged."""
    coarse = rng.random((cells, cells, channels), np.float32)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


def pattern(rng: np.random.Generator, name: str, size: int, period: float) -> np.ndarray:
    """Return the weight of the second colour of texture ``name``: (size, size) float32 in [0, 1].

    Args:
        rng: Where orientation and phase are drawn from.
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
    if name == 'stripes':
        return _wave(u, phase_u)
    v = np.float32(cos) * ys - np.float32(sin) * xs
    if name == 'checks':
        a, b = _wave(u, phase_u), _wave(v, phase_v)
        return a + b - 2 * a * b
    if name == 'dots':
        two_pi = np.float32(2 * np.pi)
        bumps = np.cos(two_pi * (u + np.float32(phase_u))) * np.cos(two_pi * (v + np.float32(phase_v)))
        return np.clip(0.5 + 3 * (np.abs(bumps) - 0.5), 0, 1)
    raise KeyError(f'{name!r} is not a texture; known textures: {", ".join(TEXTURES)}.')


def contrasting_colour(rng: np.random.Generator, luma: float, contrast: float) -> np.ndarray:
    """Return a random RGB colour, (3,) float32 in [0, 1], whose luma differs from ``luma`` by ``contrast``.

    The first of 16 uniform draws that differs enough is taken, else the one that differs most.
    """
    colours = rng.random((16, 3), np.float32)
    difference = np.abs(colours @ LUMA - np.float32(luma))
    enough = difference >= contrast
    return colours[int(enough.argmax()) if enough.any() else int(difference.argmax())]


def colour_of_luma(rng, luma):
    c = rng.random(3, np.float32)
    c = c - c @ LUMA
    s = E('SAT', 0.6)
    c = c * s
    return np.clip(luma + c, 0, 1).astype(np.float32)


def background(rng: np.random.Generator, size: int) -> np.ndarray:
    """Return a cluttered background: (size, size, 3) float32 RGB in [0, 1].

    A blend of smooth colour noise and a low-contrast texture, with stray lines and arcs on top.
    """
    image = E('LB',0.3) + E('BG',0.5) * (smooth_noise(rng, size, int(rng.integers(2, 6)), 3)-0.5)
    name = TEXTURES[rng.integers(len(TEXTURES))]
    weight = pattern(rng, name, size, size * rng.uniform(0.08, 0.25))
    image += (E('BGT',0.3) * (rng.random(3, np.float32) - 0.5)) * weight[..., None]
    image = np.ascontiguousarray(image, np.float32)
    for _ in range(rng.integers(int(E('CLO',3)), int(E('CHI',9)))):
        colour = tuple(float(E('LB',0.3)+E('CA',1.0)*(c-0.5)) for c in rng.random(3))
        thickness = int(rng.integers(1, 2 + size // E('CT',32)))
        points = np.round(16 * size * rng.random((3, 2))).astype(np.int32)
        cv2.polylines(image, [points], False, colour, thickness, cv2.LINE_8, shift=4)
    return image
