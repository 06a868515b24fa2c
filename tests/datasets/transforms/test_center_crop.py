"""CenterCrop: the middle, never padding."""

from __future__ import annotations

import numpy as np
import pytest

from mochi_mm.datasets.transforms import CenterCrop


@pytest.mark.parametrize(
    ('size', 'top', 'left'), [(21, 20, 34), ((61, 90), 0, 0), ((1, 10), 30, 40)]
)
def test_cuts_the_middle(picture, size, top, left) -> None:
    out = np.asarray(CenterCrop(size)(dict(img=picture))['img'])
    height, width = (size, size) if isinstance(size, int) else size
    pixels = np.asarray(picture)[top : top + height, left : left + width]
    assert out.shape == (height, width, 3)
    assert np.array_equal(out, pixels)


def test_too_small_an_image(picture) -> None:
    with pytest.raises(ValueError, match=r'\(62, 62\).*\(61, 90\).*Resize'):
        CenterCrop(62)(dict(img=picture))
