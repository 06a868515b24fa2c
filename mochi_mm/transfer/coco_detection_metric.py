"""COCO's AP, AP50 and AP75 of boxes and masks, in percent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmdet.datasets.api_wrappers import COCO
from mmdet.evaluation import CocoMetric

from mochi_mm.registry import METRICS

NAMES = {'mAP': 'AP', 'mAP_50': 'AP50', 'mAP_75': 'AP75'}


@METRICS.register_module()
class CocoDetectionMetric(CocoMetric):
    """mmdet's COCO metric against the very file that the data set was read from.

    So ``data_root`` is set once and reaches both. Results are ``coco/bbox_AP``, ``coco/bbox_AP50``
    and ``coco/bbox_AP75``, likewise for ``segm``, in percent, rounded to a tenth by mmdet.

    Args:
        metric: ``bbox``, ``segm`` or both.
        **kwargs: As in mmdet's ``CocoMetric``.
    """

    def __init__(self, metric: str | list[str] = 'bbox', **kwargs: Any) -> None:
        super().__init__(metric=metric, **kwargs)
        self._coco_api: COCO | None = self._coco_api

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep the predictions of a batch of images."""
        if self._coco_api is None:
            self._coco_api = COCO(self.dataset_meta['ann_file'])
        super().process(data_batch, data_samples)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Return the AP figures in percent.

        Raises:
            ValueError: There is no AP, since no object is there to be found.
        """
        found = super().compute_metrics(results)
        figures = {
            f'{kind}_{ours}': 100 * found[f'{kind}_{theirs}']
            for kind in self.metrics
            for theirs, ours in NAMES.items()
            if f'{kind}_{theirs}' in found
        }
        for name, value in figures.items():
            if value < 0:  # -1 is COCO's word for a mean over nothing
                source = self.dataset_meta.get('ann_file', 'the ground truth')
                raise ValueError(
                    f'{name} is not defined: {source} has no object of the classes that is no '
                    'crowd; expected at least one.'
                )
        return figures
