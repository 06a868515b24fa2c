"""The same results as mmcv's compiled operators, where they are installed."""

from __future__ import annotations

from importlib import import_module
from importlib.machinery import PathFinder
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.transfer.ops.test_nms import crowd
from tests.transfer.ops.test_roi_align import sample

pytest.importorskip('mmdet', reason='mmdet is not installed')
from mochi_mm.transfer.ops.extension import fill

if PathFinder.find_spec('mmcv._ext', import_module('mmcv').__path__) is None:
    pytest.skip('mmcv is installed without its compiled operators', allow_module_level=True)

COMPILED = import_module('mmcv._ext')
OURS = ModuleType('ours')
fill(OURS)


@pytest.mark.parametrize('offset', [0, 1])
@pytest.mark.parametrize('threshold', [0.1, 0.3, 0.5, 0.7])
def test_nms_keeps_the_same_boxes_in_the_same_order(threshold: float, offset: int) -> None:
    for seed, count in enumerate((0, 1, 50, 2000)):
        boxes, scores = crowd(count, seed)
        kept = [
            m.nms(boxes, scores, iou_threshold=threshold, offset=offset) for m in (COMPILED, OURS)
        ]
        assert torch.equal(*kept)


def pooled(
    module: ModuleType, maps: Tensor, rois: Tensor, mode: int, **settings: Any
) -> list[Tensor]:
    """Output, gradient, and both coordinates of the maxima."""
    output = maps.new_zeros(len(rois), maps.shape[1], 5, 4)
    size = output.shape if mode == 0 else (0,)
    y, x = maps.new_zeros(size), maps.new_zeros(size)
    settings |= dict(aligned_height=5, aligned_width=4, pool_mode=mode)
    module.roi_align_forward(maps, rois, output, y, x, **settings)
    gradient = torch.zeros_like(maps)
    module.roi_align_backward(output.cos(), rois, y, x, gradient, **settings)
    return [output, gradient, y, x]


@pytest.mark.parametrize('aligned', [True, False])
@pytest.mark.parametrize('sampling', [0, 1, 2])
@pytest.mark.parametrize('mode', [0, 1])
def test_roi_align_is_the_same(mode: int, sampling: int, aligned: bool) -> None:
    for dtype in (torch.float32, torch.float64):
        maps, rois = sample(dtype)
        settings = dict(spatial_scale=0.25, sampling_ratio=sampling, aligned=aligned)
        for ours, theirs in zip(
            pooled(OURS, maps, rois, mode, **settings),
            pooled(COMPILED, maps, rois, mode, **settings),
            strict=True,
        ):
            if mode == 1:
                assert torch.equal(ours, theirs)
            else:  # torchvision has no maximum: ours adds the four neighbors in another order
                torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)
