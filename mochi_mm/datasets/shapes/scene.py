"""A scene: overlapping textured shapes on a cluttered background, with boxes and visible masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mochi_mm.datasets.shapes.outlines import KINDS, Contours, coverage, outline, place
from mochi_mm.datasets.shapes.textures import (
    LUMA,
    TEXTURES,
    E,
    background,
    contrasting_colour,
    pattern,
)

MIN_SIZE = 24
MIN_VISIBLE = 0.5


@dataclass(frozen=True)
class Request:
    kind: int
    side: float


@dataclass(frozen=True)
class Placed:
    kind: int
    side: float
    contours: Contours
    cover: np.ndarray


@dataclass(frozen=True)
class SceneObject:
    kind: int
    bbox: tuple[int, int, int, int]
    mask: np.ndarray
    visible: float
    truncated: bool
    texture: str
    contours: Contours


@dataclass(frozen=True)
class Scene:
    image: np.ndarray
    objects: tuple[SceneObject, ...]


def _candidate(rng, request, size, shrink):
    side = request.side * size * shrink
    x, y, angle, log_stretch = rng.random(4)
    margin = 0.4 * side
    centre = margin + (size - 2 * margin) * np.array([x, y])
    contours = place(outline(KINDS[request.kind]), centre, side, E('ROT',6.2832) * (angle-0.5),
                     float(np.exp(E('STR',0.6) * (log_stretch - 0.5))))
    return Placed(request.kind, side, contours, coverage(contours, size))


def lay_out(rng, requests, size, tries=12):
    """Place back to front, so that each stays visible."""
    shrink = 1.0
    while True:
        placed = []
        visible = []
        for request in requests:
            for _ in range(tries):
                new = _candidate(rng, request, size, shrink)
                mask = new.cover >= 0.5
                left = [m & ~mask for m in visible]
                if mask.sum() >= 0.8 * new.side ** 2 and all(
                        m.sum() >= MIN_VISIBLE * p.side ** 2 for m, p in zip(left, placed)):
                    placed.append(new)
                    visible = left + [mask]
                    break
            else:
                break
        if len(placed) == len(requests):
            return placed, visible
        shrink *= 0.9


def render_scene(rng, requests, size):
    placed, masks = lay_out(rng, requests, size)
    image = background(rng, size)
    objects = []
    for p, mask in zip(placed, masks):
        under = float(image[mask].mean(0) @ LUMA)
        first = colour_of_luma(rng, E('LO',0.75)+E('LV',0.1)*(rng.random()-0.5))
        second = colour_of_luma(rng, E('LO',0.75)+E('LV2',0.3)*(rng.random()-0.5))
        texture = TEXTURES[rng.integers(len(TEXTURES))]
        weight = pattern(rng, texture, size, max(3.0, p.side * rng.uniform(0.2, 0.45)))
        fill = first + (second - first) * E('TEX',1.0) * weight[..., None]
        image += (fill - image) * p.cover[..., None]
        xs, ys = mask.any(0).nonzero()[0], mask.any(1).nonzero()[0]
        objects.append(SceneObject(
            p.kind, (int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1), mask,
            float(mask.sum() / p.side ** 2), False, texture, p.contours))
    image += (rng.random((size, size, 1), np.float32) - 0.5) * E('NOI',0.1)
    image = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
    return Scene(image, tuple(objects))
