"""AP, AP50 and AP75 of PASCAL VOC, as the MoCo protocol reports them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmdet.evaluation.functional import eval_map
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger

from mochi_mm.registry import METRICS

THRESHOLDS = tuple(round(0.5 + 0.05 * i, 2) for i in range(10))


@METRICS.register_module()
class VOCDetectionMetric(BaseMetric):
    """Average precision at 11 recalls, per IoU threshold .50, .55 to .95; in percent.

    ``AP`` is the mean over the ten thresholds, ``AP50`` and ``AP75`` are two of them; each is a
    mean over the classes that have objects. Objects marked as ignored count neither way. This is
    the metric of detectron2's ``PascalVOCDetectionEvaluator``; areas are those of continuous
    coordinates, which :class:`mochi_mm.transfer.VOCDetection` gives.

    Args:
        num_processes: Of mmdet's matching.
        collect_device: See MMEngine.
        prefix: See MMEngine.
    """

    default_prefix = 'voc'

    def __init__(
        self, num_processes: int = 2, collect_device: str = 'cpu', prefix: str | None = None
    ) -> None:
        super().__init__(collect_device, prefix)
        self.num_processes = num_processes

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep boxes, labels and scores of a batch of images."""
        num_classes = len(self.dataset_meta['classes'])
        for sample in data_samples:
            real, ignored, found = (
                {name: value.cpu().numpy() for name, value in sample[key].items() if name in FIELDS}
                for key in ('gt_instances', 'ignored_instances', 'pred_instances')
            )
            truth = dict(
                bboxes=real['bboxes'],
                labels=real['labels'],
                bboxes_ignore=ignored['bboxes'],
                labels_ignore=ignored['labels'],
            )
            scored = np.column_stack([found['bboxes'], found['scores']])
            by_class = [scored[found['labels'] == label] for label in range(num_classes)]
            self.results.append((truth, by_class))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Return ``AP``, ``AP50`` and ``AP75`` in percent."""
        truths, found = zip(*results, strict=True)
        by_threshold = {}
        for threshold in THRESHOLDS:
            by_threshold[threshold], _ = eval_map(
                found,
                truths,
                iou_thr=threshold,
                eval_mode='11points',
                dataset=self.dataset_meta['classes'],
                logger=MMLogger.get_current_instance() if threshold == 0.5 else 'silent',
                nproc=self.num_processes,
            )
        mean = sum(by_threshold.values()) / len(by_threshold)
        return dict(AP=100 * mean, AP50=100 * by_threshold[0.5], AP75=100 * by_threshold[0.75])


FIELDS = ('bboxes', 'labels', 'scores')
