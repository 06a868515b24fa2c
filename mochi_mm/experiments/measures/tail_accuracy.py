"""Accuracy on a balanced set after training on a long tail: over all classes, and by group."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from mochi_mm.datasets.facts import facts_of
from mochi_mm.evaluation.class_groups import group_accuracy, hits_by_class
from mochi_mm.evaluation.linear_classifier import L2_GRID, choose_l2, fit_linear
from mochi_mm.experiments.measures.measure import Measure
from mochi_mm.experiments.measures.subject import Subject
from mochi_mm.models.algorithms.named_heads import classifier_of


@dataclass(frozen=True)
class TailAccuracy(Measure):
    """Measure ``tail/top1`` and, by group, ``tail/many_over<n>`` and so on, in percent.

    By the network's own classifier; where it has none, by a linear one that is fitted to the frozen
    features of the images trained on, as a second stage: the fast probe, without class counts.

    Attributes:
        cuts: Training images above which a class has many, and below which it has few.
        queries: Loader of the images that are classified.
    """

    cuts: tuple[int, int] = (100, 20)
    queries: str = 'query_dataloader'

    def __call__(self, subject: Subject) -> dict[str, float]:
        """Return the four figures; a group without images that are classified has none."""
        known = facts_of(subject.loader('bank_dataloader').dataset).class_counts
        features, labels = subject.features(self.queries)
        classes = max(len(known), int(labels.max()) + 1)
        guesses = torch.cat([part.argmax(1) for part in self.scores(subject, features, classes)])
        hits, totals = hits_by_class(guesses.cpu() == labels, labels, classes)
        counts = F.pad(known, (0, classes - len(known)))
        groups = group_accuracy(hits, totals, counts, self.cuts)
        top1 = 100 * int(hits.sum()) / len(labels)
        return {'tail/top1': top1, **{f'tail/{name}': value for name, value in groups.items()}}

    def scores(self, subject: Subject, features: Tensor, classes: int) -> list[Tensor]:
        """Return the scores (n, classes) of pooled features, block by block.

        Args:
            subject: The network.
            features: (n, C).
            classes: Number of classes.
        """
        blocks = features.split(8192)
        classifier = classifier_of(subject.model)
        if classifier is not None:
            with torch.no_grad():
                return [classifier.predict(block.to(subject.device)) for block in blocks]
        bank = subject.features('bank_dataloader')
        l2, _ = choose_l2(*bank, L2_GRID, device=subject.device)
        probe = fit_linear(*bank, l2, classes, device=subject.device)
        return [probe.scores(block) for block in blocks]
