"""Generated scenes of other channels, and statistics of channels, by slow sums."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mochi_mm.datasets import ChannelShapeScenes, ShapeScenes
from mochi_mm.datasets.channel_statistics import ChannelStatistics


def test_channels_of_a_scene() -> None:
    rgb = np.asarray(ShapeScenes(num_scenes=10, image_size=24).image(3)).astype(np.float64)
    wide = ChannelShapeScenes(9, num_scenes=10, image_size=24).image(3).pixels
    fine = ChannelShapeScenes(2, 16, num_scenes=10, image_size=24).image(3).pixels
    assert wide.dtype == np.uint8 and fine.dtype == np.float32
    for y in range(0, 24, 5):
        for x in range(24):
            red, green, blue = rgb[y, x]
            chroma = max(red, green, blue) - min(red, green, blue)
            others = [abs(red - green), abs(green - blue), abs(blue - red)]
            assert wide[y, x].tolist() == [red, green, blue, chroma, *others, red, green]
            luma = 0.299 * red + 0.587 * green + 0.114 * blue
            np.testing.assert_allclose(fine[y, x], [luma, chroma], rtol=1e-6)
    photograph = ChannelShapeScenes(3, num_scenes=10, image_size=24).image(3)
    assert isinstance(photograph, Image.Image)
    np.testing.assert_array_equal(np.asarray(photograph), rgb)
    assert ChannelShapeScenes(4, num_scenes=10).labels.tolist() == list(range(10))


def test_refused() -> None:
    with pytest.raises(ValueError, match='channels is 0'):
        ChannelShapeScenes(0)
    with pytest.raises(
        ValueError, match='ColorJitter changes colors, and the images have 1 channel,'
    ):
        ChannelShapeScenes(1, num_scenes=10, pipeline=[dict(type='ColorJitter')])


def test_statistics() -> None:
    """Images of different sizes; far from 0, where sums of squares would cancel."""
    rng = np.random.default_rng(0)
    images = [
        (200 + rng.normal(0, 1e-2, (h, w, 3))).astype(np.float32)
        for h, w in ((3, 5), (1, 1), (8, 2))
    ]
    total = ChannelStatistics.of(images[0])
    for image in images[1:]:
        total = total.joined(ChannelStatistics.of(image))
    every = np.concatenate([image.reshape(-1, 3) for image in images]).astype(np.float64)
    assert (total.images, total.pixels) == (3, 32)
    np.testing.assert_allclose(total.mean, every.mean(0), rtol=1e-12)
    np.testing.assert_allclose(total.std, every.std(0), rtol=1e-9)
    np.testing.assert_array_equal(total.smallest, every.min(0))
    np.testing.assert_array_equal(total.largest, every.max(0))
