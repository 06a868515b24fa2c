"""Accuracy on known and on new classes."""

from __future__ import annotations

import torch
from torch import Tensor

from mochi_mm.argument_kinds import is_integer
from mochi_mm.evaluation.matched_accuracy import open_world_accuracy
from mochi_mm.evaluation.top_k_accuracy import TopKAccuracy
from mochi_mm.registry import METRICS


@METRICS.register_module()
class OpenWorldAccuracy(TopKAccuracy):
    """Accuracy on seen and novel classes and on all, and the mutual information on the novel ones.

    Reported as ``open_world/seen``, ``/novel``, ``/all`` and ``/nmi_novel``, in percent; see
    :func:`~mochi_mm.evaluation.matched_accuracy.open_world_accuracy`. Say with ``prefix`` what is
    measured on: papers report the unlabeled images that were trained on (transductive).

    Args:
        num_known: Number of known classes, the first ones.
        prefix: Put before the names instead of ``open_world``.

    Raises:
        ValueError: Fewer than 1 known class; when measuring, as in :class:`TopKAccuracy`.
    """

    default_prefix = 'open_world'

    def __init__(self, num_known: int, prefix: str | None = None) -> None:
        super().__init__(topk=1, prefix=prefix)
        if not is_integer(num_known) or num_known < 1:
            raise ValueError(
                f'OpenWorldAccuracy num_known is {num_known!r}; expected an integer >= 1, such as '
                '5.'
            )
        self.num_known = num_known
        self.columns = 2

    def _check(self, scores: Tensor, labels: Tensor) -> None:
        """Accept labels beyond the prototypes, whose number may be an estimate."""
        super()._check(scores, labels.clamp(max=scores.shape[1] - 1))

    def outcomes(self, order: Tensor, labels: Tensor) -> Tensor:
        """Return (n, 2): the predicted class, and the right one."""
        return torch.stack([order[:, 0], labels], dim=1)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Return the figures in percent from blocks of outcomes, (n, 2)."""
        predicted, labels = torch.cat(results).numpy().T
        return open_world_accuracy(predicted, labels, self.num_known)
