"""Classification accuracy of classes with many, medium and few training images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mochi_mm.datasets.facts import facts_of
from mochi_mm.evaluation.class_groups import check_cuts, group_accuracy, hits_by_class
from mochi_mm.evaluation.top_k_accuracy import TopKAccuracy
from mochi_mm.registry import DATASETS, METRICS
from mochi_mm.utils.class_names import check_same_names, names_in


@METRICS.register_module()
class GroupAccuracy(TopKAccuracy):
    """Top-1 by group of classes, in percent: those with many, medium and few training images.

    Reported as ``accuracy/many_over100``, ``accuracy/medium_20to100``, ``accuracy/few_below20``:
    the names say where the groups are cut. A group without test images is left out. On a balanced
    test set each is the mean over its classes; the accuracy over all is :class:`TopKAccuracy`'s.

    Args:
        dataset: The training set, in which the images of each class are counted, as a config or an
            object.
        cuts: Training images above which a class has many, and below which it has few.
        prefix: Put before the names instead of ``accuracy``.

    Raises:
        ValueError: Cut points that are none; test data with other classes than the counted ones;
            when measuring, as in :class:`TopKAccuracy`.
    """

    def __init__(
        self, dataset: Any, cuts: Sequence[int] = (100, 20), prefix: str | None = None
    ) -> None:
        super().__init__(topk=1, prefix=prefix)
        self.cuts = check_cuts(cuts)
        source = DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        facts = facts_of(source)
        self.counts, self.names = facts.class_counts, list(facts.classes)
        self.columns = 2

    def outcomes(self, order: Tensor, labels: Tensor) -> Tensor:
        """Return (n, 2): whether the first class is right, and the right one."""
        return torch.cat([super().outcomes(order, labels), labels[:, None]], dim=1)

    @TopKAccuracy.dataset_meta.setter
    def dataset_meta(self, meta: dict) -> None:
        """Take the facts of the test data, given before the first image.

        Raises:
            ValueError: They name other classes than those whose images are counted.
        """
        check_same_names(self.names, names_in(meta), 'counted', 'test')
        self._dataset_meta = meta

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Return the accuracy of each group in percent from blocks of outcomes, (n, 2).

        Raises:
            ValueError: A test image of a class that the training set does not have.
        """
        right, labels = torch.cat(results).unbind(1)
        if int(labels.max()) >= len(self.counts):
            raise ValueError(
                f'the test data hold the label {int(labels.max())} but the data set that classes '
                f'are counted in has {len(self.counts)} classes; set dataset of GroupAccuracy to '
                'the training set.'
            )
        hits, totals = hits_by_class(right.bool(), labels, len(self.counts))
        return group_accuracy(hits, totals, self.counts, self.cuts)
