"""The fast linear probe, fitted to the images trained on."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mochi_mm.evaluation.linear_classifier import L2_GRID, choose_l2, fit_linear
from mochi_mm.experiments.measures.measure import Measure
from mochi_mm.experiments.measures.subject import Subject

Labeled = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class FastLinear(Measure):
    """Measure ``fast_linear/top1`` in percent, and ``fast_linear/l2``, the penalty chosen for it.

    The probe is that of ``tools/analysis/linear_probe.py``.

    Attributes:
        queries: Loader of the images that are classified.
        suffix: Behind the names of the figures, where there are several kinds of queries.
        penalties: What ``l2`` is chosen from.
    """

    queries: str = 'query_dataloader'
    suffix: str = ''
    penalties: tuple[float, ...] = L2_GRID

    def __call__(self, subject: Subject) -> dict[str, float]:
        """Return the two figures."""
        bank, queries = subject.features('bank_dataloader'), subject.features(self.queries)
        top1, l2 = linear_top1(bank, queries, subject, self.penalties)
        found = {'fast_linear/top1': top1, 'fast_linear/l2': l2}
        return {f'{name} {self.suffix}'.strip(): value for name, value in found.items()}


def linear_top1(
    bank: Labeled, queries: Labeled, subject: Subject, penalties: tuple[float, ...] = L2_GRID
) -> tuple[float, float]:
    """Return the accuracy in percent of a linear probe, and the penalty that was chosen for it.

    Args:
        bank: Features (M, C) and labels (M,) that it is fitted to.
        queries: Images that are classified.
        subject: Says where to compute.
        penalties: What the penalty is chosen from.
    """
    (features, labels), (_, truth) = bank, queries
    l2, _ = choose_l2(features, labels, penalties, device=subject.device)
    classes = int(max(labels.max(), truth.max())) + 1
    probe = fit_linear(features, labels, l2, classes, device=subject.device)
    return probe.accuracy(*queries)['top1'], l2
