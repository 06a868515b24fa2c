"""Resize: the short side, or both."""

from __future__ import annotations

import numpy as np
import pytest
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

from mochi_mm.datasets.transforms import Resize


@pytest.mark.parametrize(('size', 'expected'), [(30, (44, 30)), ((20, 50), (50, 20))])
@pytest.mark.parametrize('mode', ['bilinear', 'bicubic'])
def test_equals_torchvision(picture, size, expected, mode) -> None:
    assert picture.size == (90, 61)
    out = Resize(size, interpolation=mode)(dict(img=picture))['img']
    assert out.size == expected
    reference = F.resize(
        picture, size if isinstance(size, int) else list(size), InterpolationMode(mode)
    )
    assert np.array_equal(np.asarray(out), np.asarray(reference))


def test_short_side_of_an_upright_image(picture) -> None:
    assert Resize(30)(dict(img=picture.transpose(2)))['img'].size == (30, 44)


@pytest.mark.parametrize(
    'arguments',
    [
        dict(size=-1),
        dict(size='224'),
        dict(size=(0, 3)),
        dict(size=True),
        dict(size=4, interpolation='cubic'),
    ],
)
def test_bad_arguments(arguments) -> None:
    with pytest.raises(ValueError, match=r'size|interpolation'):
        Resize(**arguments)
