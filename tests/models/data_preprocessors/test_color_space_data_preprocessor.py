"""Views in another color space, normalized by its own statistics."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mochi_mm.models.data_preprocessors import ColorSpaceDataPreprocessor
from mochi_mm.models.functional.color import rgb_to_lab, rgb_to_ycbcr


@pytest.mark.parametrize(
    ('space', 'convert', 'mean', 'std'),
    [
        ('lab', rgb_to_lab, (50.0, 6.025, -6.6895), (50.0, 92.208, 101.1675)),
        ('ycbcr', rgb_to_ycbcr, (116.151, 121.080, 132.342), (109.500, 111.855, 111.964)),
    ],
)
def test_views_are_converted_and_normalized(
    space: str, convert: Any, mean: tuple[float, ...], std: tuple[float, ...]
) -> None:
    views = [torch.randint(0, 256, (2, 3, 4, 5), dtype=torch.uint8) for _ in range(2)]
    done = ColorSpaceDataPreprocessor(space)(dict(inputs=views, data_samples={}))['inputs']
    for view, result in zip(views, done, strict=True):
        expected = convert(view.double())
        for channel in range(3):
            values = (expected[:, channel] - mean[channel]) / std[channel]
            torch.testing.assert_close(result[:, channel].double(), values, rtol=1e-5, atol=1e-5)


def test_other_statistics() -> None:
    view = torch.randint(0, 256, (2, 3, 4, 5), dtype=torch.uint8)
    preprocessor = ColorSpaceDataPreprocessor('lab', mean=(1, 2, 3), std=(4, 5, 6))
    (result,) = preprocessor(dict(inputs=[view], data_samples={}))['inputs']
    expected = rgb_to_lab(view.float()) - torch.tensor([1.0, 2, 3]).view(3, 1, 1)
    torch.testing.assert_close(result, expected / torch.tensor([4.0, 5, 6]).view(3, 1, 1))


def test_what_it_refuses() -> None:
    with pytest.raises(ValueError, match="space is 'hsv'; expected one of lab, ycbcr"):
        ColorSpaceDataPreprocessor('hsv')
    with pytest.raises(ValueError, match='three numbers each'):
        ColorSpaceDataPreprocessor('lab', mean=(1, 2))
