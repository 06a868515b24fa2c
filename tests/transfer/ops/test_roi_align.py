"""mmcv's roi_align, values and gradients, against loops over bins and samples."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.transfer.ops import reference

pytest.importorskip('mmdet', reason='mmdet is not installed')
from mmcv.ops import RoIAlign, roi_align

# Index of the map, corners in pixels: inside, across two edges, narrow, outside, a whole map.
REGIONS = [
    [0, 3.0, 2.5, 20.0, 17.2],
    [1, -9.0, -6.0, 11.0, 9.0],
    [1, 25.0, 18.0, 47.0, 39.0],
    [0, 8.3, 4.1, 8.6, 21.0],
    [1, 100.0, 100.0, 120.0, 110.0],
    [0, 0.0, 0.0, 36.0, 28.0],
]


def sample(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(2, 3, 7, 9, generator=generator, dtype=torch.float64)
    return maps.to(dtype), torch.tensor(REGIONS, dtype=dtype)


def value_and_gradient(function: Any, maps: Tensor, *args: Any) -> tuple[Tensor, Tensor]:
    leaf = maps.clone().requires_grad_()
    output = function(leaf, *args)
    weights = torch.randn(
        output.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64
    )
    (output * weights.to(output.dtype)).sum().backward()
    assert leaf.grad is not None
    return output.detach(), leaf.grad


@pytest.mark.parametrize('aligned', [True, False])
@pytest.mark.parametrize('sampling', [0, 1, 2])
@pytest.mark.parametrize('mode', ['avg', 'max'])
def test_value_and_gradient(mode: str, sampling: int, aligned: bool) -> None:
    for bins in [(1, 1), (3, 2)]:
        maps, rois = sample()
        args = (rois, bins, 0.25, sampling, mode, aligned)
        value, gradient = value_and_gradient(roi_align, maps, *args)
        expected, expected_gradient = value_and_gradient(reference.roi_align, maps, *args)
        torch.testing.assert_close(value, expected, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(gradient, expected_gradient, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize('mode', ['avg', 'max'])
def test_memory_layout_and_precision(mode: str) -> None:
    maps, rois = sample()
    expected, expected_gradient = value_and_gradient(roi_align, maps, rois, 2, 0.25, 2, mode)
    maps, rois = sample(torch.float32)
    maps = maps.to(memory_format=torch.channels_last)
    value, gradient = value_and_gradient(roi_align, maps, rois, 2, 0.25, 2, mode)
    torch.testing.assert_close(value.double(), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(gradient.double(), expected_gradient, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('mode', ['avg', 'max'])
def test_no_region_and_no_sample(mode: str) -> None:
    maps, _ = sample()
    value, gradient = value_and_gradient(
        roi_align, maps, torch.zeros(0, 5).double(), 2, 1.0, 0, mode
    )
    assert value.shape == (0, 3, 2, 2)
    assert not gradient.any()
    flat = torch.tensor([[0, 3.0, 3.0, 3.0, 9.0]]).double()
    value, gradient = value_and_gradient(roi_align, maps, flat, 2, 0.25, 0, mode)
    assert torch.equal(value, torch.full((1, 3, 2, 2), 0.0 if mode == 'avg' else -1e4).double())
    assert not gradient.any()


def test_the_module_takes_the_operator() -> None:
    maps, rois = sample()
    layer = RoIAlign(3, spatial_scale=0.25, sampling_ratio=0)
    expected = reference.roi_align(maps, rois, (3, 3), 0.25, 0, 'avg', True)
    torch.testing.assert_close(layer(maps, rois), expected)


def test_bad_input_is_refused() -> None:
    maps, rois = sample()
    with pytest.raises(TypeError, match=r'bfloat16.*AmpOptimWrapper'):
        roi_align(maps.bfloat16(), rois.bfloat16(), 2, 0.25, 0, 'avg', True)
    backwards = torch.tensor([[0, 9.0, 9.0, 3.0, 12.0]]).double()
    with pytest.raises(ValueError, match=r'negative size: \[0\.0, 9\.0, 9\.0, 3\.0, 12\.0\]'):
        roi_align(maps, backwards, 2, 0.25, 0, 'avg', True)
