"""mmcv's nms and batched_nms against a loop over boxes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.transfer.ops import reference

pytest.importorskip('mmdet', reason='mmdet is not installed')
from mmcv.ops import batched_nms, nms


def crowd(count: int, seed: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """Boxes that overlap a lot, and scores without ties."""
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=generator) * 40
    size = torch.rand(count, 2, generator=generator) * 30 + 1
    scores = torch.randperm(count, generator=generator).float() / max(count, 1)
    return torch.cat([corner, corner + size], dim=1).to(dtype), scores.to(dtype)


@pytest.mark.parametrize('offset', [0, 1])
@pytest.mark.parametrize('threshold', [0.0, 0.1, 0.5, 0.7, 1.0])
@pytest.mark.parametrize('count', [0, 1, 2, 7, 60])
def test_keeps_what_the_loop_keeps(count: int, threshold: float, offset: int) -> None:
    for dtype in (torch.float32, torch.float64):
        boxes, scores = crowd(count, seed=count, dtype=dtype)
        detections, kept = nms(boxes, scores, threshold, offset=offset)
        expected = reference.nms(boxes, scores, threshold, offset)
        assert kept.tolist() == expected
        assert torch.equal(detections, torch.cat([boxes, scores[:, None]], 1)[expected])


def test_score_threshold_and_max_num() -> None:
    boxes, scores = crowd(50, seed=3)
    strong = [i for i in reference.nms(boxes, scores, 0.3, 0) if scores[i] > 0.5]
    _, kept = nms(boxes, scores, 0.3, score_threshold=0.5, max_num=4)
    assert kept.tolist() == strong[:4]
    assert len(strong) > 4


def test_threshold_has_the_precision_of_the_boxes() -> None:
    """The IoU is 0.1 in float32, which is above 0.1 in float64 and not above mmcv's float32."""
    boxes = torch.tensor([[0, 0, 10.0, 1], [0, 0, 1, 1]])
    _, kept = nms(boxes, torch.tensor([0.9, 0.8]), 0.1)
    assert kept.tolist() == [0, 1]


def test_offset_counts_pixels() -> None:
    """Two boxes of one pixel each: of no size without the offset, equal with it."""
    boxes = torch.tensor([[3.0, 3, 3, 3], [3, 3, 3, 3]])
    _, kept = nms(boxes, torch.tensor([0.9, 0.8]), 0.5, offset=1)
    assert kept.tolist() == [0]


def test_ties_come_in_order() -> None:
    boxes = torch.tensor([[0.0, 0, 1, 1], [5, 5, 6, 6], [9, 9, 10, 10]])
    _, kept = nms(boxes, torch.tensor([0.5, 0.5, 0.5]), 0.5)
    assert kept.tolist() == [0, 1, 2]


@pytest.mark.parametrize('split', [10000, 1])
def test_batched_nms_keeps_classes_apart(split: int) -> None:
    boxes, scores = crowd(60, seed=5)
    classes = torch.arange(60) % 3
    settings = dict(type='nms', iou_threshold=0.4, split_thr=split)
    detections, kept = batched_nms(boxes, scores, classes, settings)
    expected: list[int] = []
    for number in range(3):
        mine = (classes == number).nonzero().flatten()
        expected += mine[reference.nms(boxes[mine], scores[mine], 0.4, 0)].tolist()
    expected.sort(key=lambda i: -float(scores[i]))
    assert kept.tolist() == expected
    assert torch.equal(detections[:, :4], boxes[expected])
    assert len(expected) > len(reference.nms(boxes, scores, 0.4, 0))
