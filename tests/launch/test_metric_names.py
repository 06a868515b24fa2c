"""The figures that a validation reports, known before anything is built."""

from __future__ import annotations

from typing import Any

import pytest

from mochi_mm.launch.metric_names import check_metric, metric_names

BOXES = ['coco/bbox_AP', 'coco/bbox_AP50', 'coco/bbox_AP75']
MASKS = [name.replace('bbox', 'segm') for name in BOXES]


@pytest.mark.parametrize(
    ('evaluator', 'expected'),
    [
        (dict(type='TopKAccuracy', topk=1), ['accuracy/top1']),
        (dict(type='VOCDetectionMetric'), ['voc/AP', 'voc/AP50', 'voc/AP75']),
        (dict(type='mochi_mm.CocoDetectionMetric'), BOXES),
        (dict(type='mochi_mm.CocoDetectionMetric', metric=['bbox', 'segm']), [*BOXES, *MASKS]),
        (dict(type='mochi_mm.CocoDetectionMetric', metric_items=['mAP_50']), BOXES[1:2]),
        (dict(type='CocoDetectionMetric', prefix='cells'), ['cells' + n[4:] for n in BOXES]),
        ([dict(type='CocoDetectionMetric', format_only=True)], []),
        (
            dict(type='CocoMetric', metric='segm', metric_items=['mAP', 'mAP_s']),
            ['coco/segm_mAP', 'coco/segm_mAP_s'],
        ),
        (dict(type='CocoMetric', metric='proposal'), None),
        (dict(type='CocoMetric', classwise=True), None),
        (dict(type='SomebodysMetric'), None),
        (dict(type='Evaluator', metrics=[dict(type='TopKAccuracy', topk=5)]), ['accuracy/top5']),
        ([dict(type='TopKAccuracy'), dict(type='SomebodysMetric')], None),
        (None, None),
    ],
)
def test_names(evaluator: Any, expected: list[str] | None) -> None:
    assert metric_names(evaluator) == expected


@pytest.mark.parametrize(
    ('name', 'near'),
    [
        ('coco/bbox_mAP', 'coco/bbox_AP'),
        ('coco/segm_mAP_50', 'coco/segm_AP50'),
        ('bbox_AP', 'coco/bbox_AP'),
        ('COCO/BBOX_AP75', 'coco/bbox_AP75'),
    ],
)
def test_misspelled_names(name: str, near: str) -> None:
    evaluator = dict(type='mochi_mm.CocoDetectionMetric', metric=['bbox', 'segm'])
    with pytest.raises(ValueError, match=f'Nearest: {near}(,|\\.)'):
        check_metric(name, evaluator)
    assert near in (metric_names(evaluator) or [])


def test_mmdets_names_are_found_too() -> None:
    with pytest.raises(ValueError, match='Nearest: coco/bbox_mAP'):
        check_metric('coco/bbox_map', dict(type='CocoMetric'))
