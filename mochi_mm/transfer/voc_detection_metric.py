"""AP, AP50 and AP75 of PASCAL VOC, as the MoCo protocol reports them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmdet.evaluation.functional import eval_map
from mmdet.evaluation.functional.mean_ap import print_map_summary
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger

from mochi_mm.registry import METRICS
from mochi_mm.utils.checks import check_integer

THRESHOLDS = tuple(round(0.5 + 0.05 * i, 2) for i in range(10))


@METRICS.register_module()
class VOCDetectionMetric(BaseMetric):
    """Average precision at 11 recalls, per IoU threshold .50, .55 to .95; in percent.

    ``AP`` is the mean over the ten thresholds, ``AP50`` and ``AP75`` are two of them; each is a
    mean over the classes that have objects. Objects marked as ignored count neither way. This is
    the metric of detectron2's ``PascalVOCDetectionEvaluator`` but for two comparisons of numbers
    that meet exactly: recalls are compared as whole numbers, and an IoU of the threshold itself
    counts. Areas are those of continuous coordinates, which
    :class:`mochi_mm.transfer.VOCDetection` gives. Boxes are matched by mmdet.

    Args:
        num_processes: Number of processes of mmdet's matching.
        collect_device: See MMEngine.
        prefix: See MMEngine.
    """

    default_prefix = 'voc'

    def __init__(
        self, num_processes: int = 2, collect_device: str = 'cpu', prefix: str | None = None
    ) -> None:
        super().__init__(collect_device, prefix)
        self.num_processes = check_integer('num_processes', num_processes, 2)

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
        """Return ``AP``, ``AP50`` and ``AP75`` in percent.

        Raises:
            ValueError: No object is there to be found, so there is no AP.
        """
        truths, found = zip(*results, strict=True)
        by_threshold = {}
        for threshold in THRESHOLDS:
            by_class = self._by_class(truths, found, threshold)
            measured = [one['ap'] for one in by_class if one['num_gts'] > 0]
            if not measured:
                raise ValueError(
                    f'AP is not defined: none of the {len(truths)} images has an object of the '
                    'classes that is not difficult; expected at least one. Is it the right split?'
                )
            by_threshold[threshold] = float(np.mean(measured))
            if threshold == 0.5:
                logger = MMLogger.get_current_instance()
                classes = self.dataset_meta['classes']
                print_map_summary(by_threshold[0.5], by_class, classes, logger=logger)
        mean = sum(by_threshold.values()) / len(by_threshold)
        return dict(AP=100 * mean, AP50=100 * by_threshold[0.5], AP75=100 * by_threshold[0.75])

    def _by_class(self, truths: Any, found: Any, threshold: float) -> list[dict[str, Any]]:
        """Return mmdet's record of each class, with the ``ap`` of :func:`eleven_points`."""
        _, by_class = eval_map(
            found,
            truths,
            # Overlaps are float32: as a double, 0.7 lies above the float32 that stands for it.
            iou_thr=float(np.float32(threshold)),
            eval_mode='11points',
            dataset=self.dataset_meta['classes'],
            logger='silent',
            nproc=self.num_processes,
        )
        for one in by_class:
            one['ap'] = eleven_points(one['recall'], one['precision'], one['num_gts'])
        return by_class


def eleven_points(recall: np.ndarray, precision: np.ndarray, objects: int) -> float:
    """Return the mean of the largest precision at a recall of r or more, over r = 0, 0.1 to 1.

    Recalls are compared as whole numbers, like in
    :func:`mochi_mm.evaluation.average_precision.average_precision`: 0.3, 0.6 and 0.7 as multiples
    of 0.1 lie above 3/10, 6/10 and 7/10 in floating point, and the level would be lost.

    Args:
        recall: (n,) share of the objects found by the first 1, ..., n detections.
        precision: (n,) share of those detections that are right.
        objects: Number of objects to be found; without any the value is 0.
    """
    hits = np.rint(np.asarray(recall, np.float64) * objects)
    reached = [precision[hits * 10 >= tenth * objects] for tenth in range(11)]
    return float(np.mean([part.max() if part.size else 0.0 for part in reached]))


FIELDS = ('bboxes', 'labels', 'scores')
