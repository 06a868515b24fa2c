"""COCO's AP in percent, and nothing where COCO defines none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip('mmdet', reason='mmdet is not installed')

from mochi_mm.transfer import CocoDetectionMetric

BOX = [10.0, 10.0, 30.0, 40.0]


def measure(folder: Path, crowd: int, scores: tuple[float, float]) -> dict[str, float]:
    """One object; one finding on it and one beside it, with these scores."""
    record = dict(id=1, image_id=5, category_id=1, bbox=[10, 10, 20, 30], area=600, iscrowd=crowd)
    content = dict(
        images=[dict(id=5, file_name='a.jpg', width=64, height=64)],
        categories=[dict(id=1, name='cat')],
        annotations=[record],
    )
    (folder / 'file.json').write_text(json.dumps(content))
    metric = CocoDetectionMetric()
    metric.dataset_meta = dict(classes=('cat',), ann_file=str(folder / 'file.json'))
    found = dict(
        bboxes=torch.tensor([BOX, [40.0, 40.0, 60.0, 60.0]]),
        scores=torch.tensor(scores),
        labels=torch.tensor([0, 0]),
    )
    sample: dict[str, Any] = dict(img_id=5, ori_shape=(64, 64), pred_instances=found)
    metric.process({}, [sample])
    return metric.evaluate(1)


@pytest.mark.parametrize(('scores', 'expected'), [((0.9, 0.5), 100), ((0.5, 0.9), 50)])
def test_hand_made_boxes(tmp_path: Path, scores: tuple[float, float], expected: float) -> None:
    """Best first, precision is 1 at every recall; worst first, it is 1/2 at every recall."""
    found = measure(tmp_path, 0, scores)
    assert set(found) == {'coco/bbox_AP', 'coco/bbox_AP50', 'coco/bbox_AP75'}
    np.testing.assert_allclose(list(found.values()), expected)


def test_no_figure_where_there_is_nothing_to_find(tmp_path: Path) -> None:
    """COCO says -1 where it has no objects; that is no AP of -100."""
    with pytest.raises(ValueError, match=r'bbox_AP is not defined: .*file\.json has no object'):
        measure(tmp_path, 1, (0.9, 0.5))
