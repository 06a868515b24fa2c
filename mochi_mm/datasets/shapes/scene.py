"""A scene: overlapping textured shapes on a cluttered background, with boxes and visible masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mochi_mm.datasets.shapes.outlines import KINDS, Contours, coverage, outline, place
from mochi_mm.datasets.shapes.textures import (
    TEXTURES,
    background,
    hue_colors,
    pattern,
    shape_colors,
)

# A shape keeps at least this share of its area visible, and lies this far inside the image.
MIN_VISIBLE, MIN_INSIDE = 0.5, 0.8
# Largest rotation to either side, radians, and largest logarithm of the stretch to either side.
MAX_TURN, MAX_STRETCH = 0.5, 0.2
PIXEL_NOISE = 0.05
TRIES = 12


@dataclass(frozen=True)
class Request:
    """A shape that a scene is to have.

    Attributes:
        kind: Index into ``KINDS``.
        side: Square root of its area, as a share of the image's side.
        texture: Name of its texture; None draws one.
        hue: Hue of its colors, in [0, 1); None draws two colors.
    """

    kind: int
    side: float
    texture: str | None = None
    hue: float | None = None


@dataclass(frozen=True)
class SceneObject:
    """A shape as it is seen.

    Attributes:
        kind: Index into ``KINDS``.
        bbox: Box around the visible part, (x0, y0, x1, y1) in pixels, x1 and y1 exclusive.
        mask: The visible part, (size, size) bool.
        truncated: Whether another shape or the border hides some of it.
        texture: Name of its texture.
    """

    kind: int
    bbox: tuple[int, int, int, int]
    mask: np.ndarray
    truncated: bool
    texture: str


@dataclass(frozen=True)
class Scene:
    """An image (size, size, 3) uint8 RGB and its objects, back to front."""

    image: np.ndarray
    objects: tuple[SceneObject, ...]


@dataclass(frozen=True)
class _Placed:
    request: Request
    side: float  # pixels
    contours: Contours
    cover: np.ndarray

    @property
    def mask(self) -> np.ndarray:
        return self.cover >= 0.5


def _candidate(rng: np.random.Generator, request: Request, size: int, shrink: float) -> _Placed:
    side = request.side * size * shrink
    x, y, turn, stretch = rng.random(4)
    margin = 0.4 * side
    center = margin + (size - 2 * margin) * np.array([x, y])
    contours = place(
        outline(KINDS[request.kind]),
        center,
        side,
        MAX_TURN * (2 * turn - 1),
        float(np.exp(MAX_STRETCH * (2 * stretch - 1))),
    )
    return _Placed(request, side, contours, coverage(contours, size))


def _fits(new: _Placed, below: Sequence[_Placed], visible: Sequence[np.ndarray]) -> bool:
    """Return whether ``new`` lies inside the image and leaves enough of those below it visible."""
    mask = new.mask
    if mask.sum() < MIN_INSIDE * new.side**2:
        return False
    return all(
        (seen & ~mask).sum() >= MIN_VISIBLE * under.side**2
        for seen, under in zip(visible, below, strict=True)
    )


def lay_out(
    rng: np.random.Generator, requests: Sequence[Request], size: int
) -> tuple[list[_Placed], list[np.ndarray]]:
    """Return the shapes back to front and the visible mask of each; shrinks all until they fit."""
    shrink = 1.0
    while True:
        placed: list[_Placed] = []
        visible: list[np.ndarray] = []
        for request in requests:
            tries = (_candidate(rng, request, size, shrink) for _ in range(TRIES))
            new = next((t for t in tries if _fits(t, placed, visible)), None)
            if new is None:
                break
            visible = [seen & ~new.mask for seen in visible] + [new.mask]
            placed.append(new)
        if len(placed) == len(requests):
            return placed, visible
        shrink *= 0.9


def render_scene(rng: np.random.Generator, requests: Sequence[Request], size: int) -> Scene:
    """Return a scene with the requested shapes, back to front.

    Args:
        rng: All draws come from it: the same generator state gives the same scene.
        requests: Kinds and sizes.
        size: Side of the square image, pixels.
    """
    placed, masks = lay_out(rng, requests, size)
    image = background(rng, size)
    objects = []
    for shape, mask in zip(placed, masks, strict=True):
        wanted = shape.request
        first, second = shape_colors(rng) if wanted.hue is None else hue_colors(rng, wanted.hue)
        texture = wanted.texture or TEXTURES[rng.integers(len(TEXTURES))]
        weight = pattern(rng, texture, size, max(3.0, shape.side * rng.uniform(0.2, 0.45)))
        fill = first + (second - first) * weight[..., None]
        image += (fill - image) * shape.cover[..., None]
        xs, ys = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
        box = (int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1)
        hidden = bool(mask.sum() < 0.95 * shape.side**2)
        objects.append(SceneObject(wanted.kind, box, mask, hidden, texture))
    image += (rng.random((size, size, 1), np.float32) - 0.5) * PIXEL_NOISE
    pixels = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
    return Scene(pixels, tuple(objects))
