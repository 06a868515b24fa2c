"""Classification accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.evaluator import BaseMetric
from torch import Tensor

from mochi_mm.evaluation.features import gather_samples
from mochi_mm.registry import METRICS


@METRICS.register_module()
class TopKAccuracy(BaseMetric):
    """Share of samples whose class is among the k with the highest scores, in percent.

    Each sample counts once, also where a distributed sampler repeats some: they are told apart by
    ``sample_idx``. Reported as ``accuracy/top{k}``.

    Args:
        topk: The k to report.
        prefix: Put before the names instead of ``accuracy``.

    Raises:
        ValueError: A k that is not an integer >= 1.
    """

    default_prefix = 'accuracy'

    def __init__(self, topk: int | Sequence[int] = (1, 5), prefix: str | None = None) -> None:
        super().__init__(prefix=prefix)
        self.topk = (topk,) if isinstance(topk, int) else tuple(topk)
        if not self.topk or any(not isinstance(k, int) or k < 1 for k in self.topk):
            raise ValueError(f'topk is {topk!r}; expected one or more integers >= 1.')
        self.columns = len(self.topk)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep, for each sample, its index and whether its class is among the first.

        Args:
            data_batch: Unused.
            data_samples: Records ``dict(scores=(B, C), gt_label=(B,), sample_idx=(B,))``, as
                :class:`ImageClassifier` predicts them.

        Raises:
            ValueError: Fewer classes than the largest k, a label outside the classes, scores that
                are not finite.
        """
        for record in data_samples:
            scores, labels = record['scores'].detach().cpu().float(), record['gt_label'].cpu()
            self._check(scores, labels)
            order = scores.topk(max(self.topk), dim=1).indices
            self.results.append((record['sample_idx'].cpu(), self.outcomes(order, labels)))

    def outcomes(self, order: Tensor, labels: Tensor) -> Tensor:
        """Return (n, len(topk)) int64: 1 where the class is among the first k.

        Args:
            order: (n, largest k) classes, the highest score first.
            labels: (n,) right classes.
        """
        hits = [(order[:, :k] == labels[:, None]).any(dim=1) for k in self.topk]
        return torch.stack(hits, dim=1).long()

    def evaluate(self, size: int) -> dict[str, float]:
        """Return the accuracies over all ranks.

        Args:
            size: Number of samples in the data set.

        Raises:
            ValueError: The ranks together did not see ``size`` different samples.
        """
        rows = self.results or [
            (torch.zeros(0, dtype=torch.int64), torch.zeros(0, self.columns, dtype=torch.int64))
        ]
        indices, outcomes = (torch.cat(column) for column in zip(*rows, strict=True))
        self.results.clear()
        metrics = self.compute_metrics(list(gather_samples(indices, outcomes, size=size)))
        return {f'{self.prefix}/{name}': value for name, value in metrics.items()}

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Return ``top{k}`` in percent from blocks of outcomes, (n, len(topk))."""
        percent = 100 * torch.cat(results).double().mean(dim=0)
        return {f'top{k}': value for k, value in zip(self.topk, percent.tolist(), strict=True)}

    def _check(self, scores: Tensor, labels: Tensor) -> None:
        num_classes = scores.shape[1]
        if max(self.topk) > num_classes:
            raise ValueError(
                f'topk asks for {max(self.topk)} of {num_classes} classes; set topk to values of '
                f'at most {num_classes}.'
            )
        wrong = labels[(labels < 0) | (labels >= num_classes)]
        if len(wrong):
            raise ValueError(
                f'the test data hold the label {int(wrong[0])}, expected 0 to {num_classes - 1}; '
                '-1 means no label. Use labeled data, and the num_classes of the head.'
            )
        if not torch.isfinite(scores).all():
            raise ValueError(
                'the scores are not finite; the classifier has diverged: lower its learning rate.'
            )
