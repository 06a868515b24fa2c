"""The biased data set: how often the tint is the class's, that it is there, that it is labeled."""

from __future__ import annotations

import colorsys
from pathlib import Path

import numpy as np
import pytest

from mochi_mm.datasets import ColouredShapeScenes, ShapeScenes
from mochi_mm.datasets.coloured_shape_scenes import STRENGTH


@pytest.mark.parametrize('aligned', [0.0, 0.9, 0.955, 1.0])
def test_each_class_has_its_share_and_the_rest_is_spread_evenly(aligned: float) -> None:
    dataset = ColouredShapeScenes(aligned, num_scenes=1000)
    for kind in range(10):
        counts = np.bincount(dataset.bias_labels[dataset.labels == kind], minlength=10)
        assert counts[kind] == int(100 * aligned)
        others = np.delete(counts, kind)
        assert others.max() - others.min() <= 1 and counts.sum() == 100


def test_without_bias_the_tint_says_nothing() -> None:
    dataset = ColouredShapeScenes(num_scenes=1000)
    for kind in range(10):
        counts = np.bincount(dataset.bias_labels[dataset.labels == kind], minlength=10)
        assert counts.tolist() == [10] * 10


@pytest.mark.parametrize('cached', [False, True])
def test_images_are_the_scenes_under_their_tint(cached: bool, tmp_path: Path) -> None:
    plain = ShapeScenes(num_scenes=40, image_size=32)
    cache = tmp_path if cached else None
    colored = ColouredShapeScenes(0.5, num_scenes=40, image_size=32, cache_dir=cache)
    for index in (0, 13, 39):
        tint = 255 * np.array(colorsys.hsv_to_rgb(colored.bias_labels[index] / 10, 1, 1))
        expected = (1 - STRENGTH) * np.asarray(plain.image(index)) + STRENGTH * tint
        assert np.abs(np.asarray(colored.image(index)) - expected).max() <= 1


def test_samples_are_labeled_and_repeatable_and_splits_differ() -> None:
    dataset = ColouredShapeScenes(0.5, num_scenes=100)
    sample = dataset.sample(3)
    assert sample['bias_label'] == dataset.bias_labels[3] and sample['gt_label'] == 3
    again = ColouredShapeScenes(0.5, num_scenes=100)
    assert (again.bias_labels == dataset.bias_labels).all()
    for other in (dict(split='val'), dict(seed=1)):
        changed = ColouredShapeScenes(0.5, num_scenes=100, **other)  # type: ignore[arg-type]
        assert (changed.bias_labels != dataset.bias_labels).any()


@pytest.mark.parametrize('aligned', [-0.1, 1.5])
def test_a_share_outside_0_to_1_is_refused(aligned: float) -> None:
    with pytest.raises(ValueError, match=f'aligned is {aligned}'):
        ColouredShapeScenes(aligned)
