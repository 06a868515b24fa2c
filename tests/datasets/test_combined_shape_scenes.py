"""Scenes of many classes: each combination once, nested worlds, and what an image shows."""

from __future__ import annotations

import colorsys
from pathlib import Path

import numpy as np
import pytest

from mochi_mm.datasets import CombinedShapeScenes
from mochi_mm.datasets.combined_shape_scenes import COMBINATIONS, HUES
from mochi_mm.datasets.shapes.outlines import KINDS
from mochi_mm.datasets.shapes.textures import TEXTURES


def test_each_combination_is_one_class() -> None:
    everything = {(kind, texture, hue) for kind in KINDS for texture in TEXTURES for hue in HUES}
    assert len(COMBINATIONS) == 100 and set(COMBINATIONS) == everything


def test_few_classes_differ_in_as_much_as_they_can() -> None:
    kinds, textures, hues = zip(*COMBINATIONS[:5], strict=True)
    assert len(set(kinds)) == len(set(textures)) == 5 and len(set(hues)) == 2
    kinds, textures, _ = zip(*COMBINATIONS[:10], strict=True)
    assert len(set(kinds)) == 10 and [textures.count(name) for name in TEXTURES] == [2] * 5
    assert len({names[:2] for names in COMBINATIONS[:50]}) == 50


@pytest.mark.parametrize('number', [2, 5, 100])
def test_a_scene_shows_what_its_class_says(number: int) -> None:
    dataset = CombinedShapeScenes(number, num_scenes=2 * number, image_size=32)
    assert len(dataset.classes) == number == len(set(dataset.classes))
    assert np.bincount(dataset.labels).tolist() == [2] * number
    for index in range(0, 2 * number, 7):
        (shape,) = dataset.annotations(index)
        kind, texture, hue = COMBINATIONS[index % number]
        assert (KINDS[shape.kind], shape.texture) == (kind, texture)
        mean = np.asarray(dataset.image(index), float)[shape.mask].mean(0) / 255
        found, *_ = colorsys.rgb_to_hsv(*mean)
        assert min(abs(found - HUES[hue]), 1 - abs(found - HUES[hue])) < 0.07
        assert dataset.classes[dataset.labels[index]] == f'{hue} {texture} {kind}'


def test_worlds_are_kept_apart_on_the_disk(tmp_path: Path) -> None:
    few, many = (
        CombinedShapeScenes(number, 20, image_size=24, cache_dir=tmp_path) for number in (5, 10)
    )
    assert len(list(tmp_path.glob('*.npy'))) == 2
    assert (np.asarray(few.image(4)) == np.asarray(many.image(4))).all()
    assert (np.asarray(few.image(5)) != np.asarray(many.image(5))).any()
    again = CombinedShapeScenes(10, 20, image_size=24)
    assert (np.asarray(again.image(7)) == np.asarray(many.image(7))).all()


@pytest.mark.parametrize('number', [0, 1, 101])
def test_a_number_of_classes_that_is_none(number: int) -> None:
    with pytest.raises(ValueError, match=f'num_classes is {number}; expected 2 to 100'):
        CombinedShapeScenes(number)
