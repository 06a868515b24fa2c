"""Expected calibration error of a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from mochi_mm.evaluation.measures.calibration import calibration_error
from mochi_mm.evaluation.top_k_accuracy import TopKAccuracy
from mochi_mm.registry import METRICS
from mochi_mm.utils.checks import check_integer

# Confidences are gathered as whole numbers of this share.
UNIT = 2**-40


@METRICS.register_module()
class CalibrationError(TopKAccuracy):
    """Distance between confidence and accuracy, in percent: :func:`calibration_error`.

    Each sample counts once, as in :class:`TopKAccuracy`. Reported as ``calibration/error`` and
    ``calibration/confidence``, the mean probability of the predicted class.

    Args:
        bins: Number of equally wide bins of the confidence.
        prefix: Put before the names instead of ``calibration``.

    Raises:
        ValueError: No bin; when measuring, scores that are no probabilities.

    >>> metric = CalibrationError(bins=2)
    >>> scores = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])
    >>> labels = dict(gt_label=torch.tensor([0, 0, 1]), sample_idx=torch.arange(3))
    >>> metric.process(None, [dict(labels, scores=scores)])
    >>> {name: round(value, 2) for name, value in metric.evaluate(3).items()}
    {'calibration/error': 10.0, 'calibration/confidence': 76.67}
    """

    default_prefix = 'calibration'

    def __init__(self, bins: int = 15, prefix: str | None = None) -> None:
        super().__init__(topk=1, prefix=prefix)
        self.bins, self.columns = check_integer('bins', bins, 15), 2

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep, for each sample, its index, whether it is right, and the confidence.

        Args:
            data_batch: Unused.
            data_samples: See :class:`TopKAccuracy`; the scores are probabilities.

        Raises:
            ValueError: They are not.
        """
        start = len(self.results)
        super().process(data_batch, data_samples)
        for place, record in enumerate(data_samples, start):
            scores = record['scores'].detach().cpu().double()
            if bool((scores < 0).any()) or bool(((scores.sum(1) - 1).abs() > 1e-3).any()):
                raise ValueError(
                    f'scores from {float(scores.min()):g} to {float(scores.max()):g} that do not '
                    'add up to 1; CalibrationError expects probabilities.'
                )
            confidence = (scores.amax(1).clamp_max(1) / UNIT).round().long()
            indices, hits = self.results[place]
            self.results[place] = indices, torch.cat([hits, confidence[:, None]], dim=1)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Return error and mean confidence in percent from blocks of outcomes, (n, 2)."""
        right, counted = torch.cat(results).unbind(1)
        confidence = counted.double() * UNIT
        error = calibration_error(confidence, right.bool(), self.bins)
        return dict(error=100 * error, confidence=100 * float(confidence.mean()))
