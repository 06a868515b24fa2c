"""Accuracy on known and new classes: by the prototypes, and by k-means on the features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor
from torch.nn import functional as F

from mochi_mm.evaluation.matched_accuracy import matched_accuracy, open_world_accuracy
from mochi_mm.experiments.measures.measure import Measure
from mochi_mm.experiments.measures.subject import Subject
from mochi_mm.models.algorithms.named_heads import classifier_of


@dataclass(frozen=True)
class OpenWorldMeasure(Measure):
    """Measure ``{set}/seen``, ``/novel``, ``/all``, ``/nmi_novel``, ``/kmeans``, in percent.

    The sets are ``unlabeled``, images trained on without a label (transductive), and ``test``.
    ``kmeans`` is the accuracy on all classes of k-means on the pooled features of unit length,
    fitted to the images that it is measured on, clusters and classes matched; a network without a
    classifier has that figure alone.

    Attributes:
        num_classes: Number of clusters.
        num_known: Number of known classes, the first ones.
        seed: Random seed of k-means.
    """

    num_classes: int
    num_known: int
    seed: int = 0

    def __call__(self, subject: Subject) -> dict[str, float]:
        """Return the figures of both sets."""
        found = {}
        for name, loader in (('unlabeled', 'unlabeled_dataloader'), ('test', 'query_dataloader')):
            features, labels = subject.features(loader)
            found[f'{name}/kmeans'] = matched_accuracy(self.clusters(features), labels.numpy())
            if classifier_of(subject.model) is not None:
                guesses, labels = subject.predicted(loader)
                figures = open_world_accuracy(guesses.numpy(), labels.numpy(), self.num_known)
                found.update({f'{name}/{key}': value for key, value in figures.items()})
        return found

    def clusters(self, features: Tensor) -> np.ndarray:
        """Return (M,) the cluster of each row, the best of three k-means."""
        from sklearn.cluster import KMeans

        means = KMeans(self.num_classes, n_init=3, random_state=self.seed)
        return np.asarray(means.fit_predict(F.normalize(features).numpy()))
