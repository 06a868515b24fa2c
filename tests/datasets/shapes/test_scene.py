"""Scenes: boxes and masks of what is visible, and what a scene may depend on."""

from __future__ import annotations

import numpy as np
import pytest

from mochi_mm.datasets.shapes.outlines import KINDS
from mochi_mm.datasets.shapes.scene import (
    MIN_INSIDE,
    MIN_VISIBLE,
    Request,
    Scene,
    lay_out,
    render_scene,
)
from mochi_mm.datasets.shapes.textures import TEXTURES, pattern

REQUESTS = [Request(0, 0.4), Request(5, 0.35), Request(3, 0.3)]


def scene(seed: int, requests: list[Request] = REQUESTS, size: int = 64) -> Scene:
    return render_scene(np.random.Generator(np.random.Philox(seed)), requests, size)


@pytest.mark.parametrize('seed', range(8))
def test_boxes_enclose_disjoint_visible_masks(seed: int) -> None:
    made = scene(seed)
    assert made.image.shape == (64, 64, 3) and made.image.dtype == np.uint8
    assert [item.kind for item in made.objects] == [0, 5, 3]
    covered = np.zeros((64, 64), int)
    for item in made.objects:
        rows, columns = np.nonzero(item.mask)
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert item.bbox == box
        covered += item.mask
    assert covered.max() == 1


@pytest.mark.parametrize('seed', range(8))
def test_every_shape_keeps_its_share_visible(seed: int) -> None:
    rng = np.random.Generator(np.random.Philox(seed))
    placed, visible = lay_out(rng, REQUESTS, 64)
    for index, (shape, seen) in enumerate(zip(placed, visible, strict=True)):
        hidden = np.zeros((64, 64), bool)
        for above in placed[index + 1 :]:
            hidden |= above.mask
        assert (seen == (shape.mask & ~hidden)).all()
        assert seen.sum() >= MIN_VISIBLE * shape.side**2
        assert shape.mask.sum() >= MIN_INSIDE * shape.side**2


def test_shapes_that_cannot_fit_are_shrunk_until_they_do() -> None:
    made = scene(0, [Request(1, 0.9)] * 4)
    assert len(made.objects) == 4 and all(item.mask.any() for item in made.objects)


def test_the_generator_state_decides_everything() -> None:
    assert (scene(3).image == scene(3).image).all()
    assert (scene(3).image != scene(4).image).any()


@pytest.mark.parametrize('name', TEXTURES)
def test_patterns_are_weights(name: str) -> None:
    weight = pattern(np.random.Generator(np.random.Philox(1)), name, 32, 8.0)
    assert weight.shape == (32, 32) and weight.min() >= 0 and weight.max() <= 1
    assert (weight.max() - weight.min() > 0.5) == (name != 'plain')


def test_unknown_texture() -> None:
    with pytest.raises(KeyError, match="'wood' is not a texture; known textures: plain"):
        pattern(np.random.Generator(np.random.Philox(1)), 'wood', 32, 8.0)


def test_kinds_are_the_ten_documented() -> None:
    assert len(KINDS) == 10 and len(set(KINDS)) == 10
