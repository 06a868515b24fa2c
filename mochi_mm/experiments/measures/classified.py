"""Accuracy of the classifier of a method: its own, or a linear probe as its second stage."""

from __future__ import annotations

from dataclasses import dataclass

from mochi_mm.experiments.measures.fast_linear import linear_top1
from mochi_mm.experiments.measures.measure import Measure
from mochi_mm.experiments.measures.subject import Subject
from mochi_mm.models.algorithms.named_heads import classifier_of


@dataclass(frozen=True)
class Classified(Measure):
    """Measure ``classified/top1`` in percent.

    Of a network with a head that classifies, the share of images that it classifies right; of
    another one, that of the fast linear probe, fitted to the labels that it was trained with.

    Attributes:
        queries: Loader of the images that are classified.
    """

    queries: str = 'query_dataloader'

    def __call__(self, subject: Subject) -> dict[str, float]:
        """Return the one figure."""
        if classifier_of(subject.model) is None:
            bank, queries = subject.features('bank_dataloader'), subject.features(self.queries)
            return {'classified/top1': linear_top1(bank, queries, subject)[0]}
        guesses, labels = subject.predicted(self.queries)
        return {'classified/top1': 100 * int((guesses == labels).sum()) / len(labels)}
