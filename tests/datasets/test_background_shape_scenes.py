"""Scenes on a telling background: masks, what the tint leaves alone, which background it is."""

from __future__ import annotations

import numpy as np
import pytest

from mochi_mm.datasets import BackgroundShapeScenes, ShapeScenes
from mochi_mm.datasets.coloured_shape_scenes import STRENGTH

PLAIN = ShapeScenes(num_scenes=20, image_size=32)


@pytest.mark.parametrize('aligned', [0.0, 1.0])
def test_the_tint_is_behind_the_shapes_and_nowhere_else(aligned: float) -> None:
    dataset = BackgroundShapeScenes(aligned, num_scenes=20, image_size=32)
    for index in (0, 7, 19):
        sample, plain = dataset.sample(index), np.asarray(PLAIN.image(index))
        image, mask = np.asarray(sample['img']), sample['mask']
        shapes = PLAIN.annotations(index)
        assert (mask == sum(shape.mask for shape in shapes).astype(bool)).all()
        assert 0.1 < mask.mean() < 0.9
        assert (image[mask] == plain[mask]).all()
        tint = dataset.tints[dataset.bias_labels[index]]
        expected = (1 - STRENGTH) * plain[~mask] + STRENGTH * tint
        assert np.abs(image[~mask] - expected).max() <= 1
        assert np.array_equal(np.asarray(dataset.image(index)), image)
        assert sample['bias_label'] == dataset.bias_labels[index]
        assert (sample['bias_label'] == sample['gt_label']) == (aligned == 1.0)


def test_own_and_exchanged_backgrounds_are_of_the_same_scenes() -> None:
    own, other = (BackgroundShapeScenes(a, num_scenes=20, image_size=32) for a in (1.0, 0.0))
    first, second = own.sample(4), other.sample(4)
    mask = first['mask']
    assert (mask == second['mask']).all()
    pixels = [np.asarray(sample['img']) for sample in (first, second)]
    assert (pixels[0][mask] == pixels[1][mask]).all()
    assert (pixels[0][~mask] != pixels[1][~mask]).any(axis=1).mean() > 0.9


def test_a_share_outside_0_to_1_is_refused() -> None:
    with pytest.raises(ValueError, match='aligned is 2'):
        BackgroundShapeScenes(2)
