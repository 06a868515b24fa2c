"""kNN accuracy, the images trained on voting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mochi_mm.evaluation.knn_evaluate import check_knn_data, knn_accuracy, knn_evaluate
from mochi_mm.evaluation.learned_similarity import LearnedFeatures
from mochi_mm.experiments.measures.measure import Measure
from mochi_mm.experiments.measures.subject import Subject


@dataclass(frozen=True)
class KNN(Measure):
    """Measure ``knn/top1_k<k>`` in percent; neither side is augmented.

    By the similarity that a head has learned it is ``knn_learned/top1_k<k>``.

    Attributes:
        queries: Loader of the images that are classified.
        suffix: Behind the name of the figure, where there are several kinds of queries.
        k: Number of neighbors.
        temperature: Temperature of the votes ``exp(cosine / temperature)``.
        watch: Also while the network trains.
        similarity: ``cosine`` of the pooled features, or ``learned``, that of the head.
        optional: Leave the figure out for a network that has learned no similarity.
    """

    queries: str = 'query_dataloader'
    suffix: str = ''
    k: int = 20
    temperature: float = 0.07
    watch: bool = True
    similarity: str = 'cosine'
    optional: bool = False

    def __call__(self, subject: Subject) -> dict[str, float]:
        """Return the one figure, or none where it is ``optional`` and there is none."""
        if self.optional and not LearnedFeatures.all_of(subject.model):
            return {}
        check_knn_data(subject.loader('bank_dataloader'), subject.loader(self.queries), self.k)
        if self.similarity == 'learned':
            loaders = subject.loader('bank_dataloader'), subject.loader(self.queries)
            found = knn_evaluate(
                subject.model, *loaders, self.k, self.temperature, similarity='learned'
            )
        else:
            queries, truth = subject.features(self.queries)
            bank = subject.features('bank_dataloader')
            rows = queries.to(subject.device)
            found = knn_accuracy(rows, truth, *bank, (self.k,), self.temperature)
        name = next(name for name in found if '/top1' in name)
        return {f'{name} {self.suffix}'.strip(): found[name]}

    def hooks(self, config: Any, interval: int) -> list[dict[str, Any]]:
        """Return the hook that logs ``knn/top1``."""
        if not self.watch:
            return []
        loaders = dict(
            bank_dataloader=config.bank_dataloader, query_dataloader=config[self.queries]
        )
        settings: dict[str, Any] = dict(interval=interval, k=self.k, temperature=self.temperature)
        if self.similarity != 'cosine':
            settings['similarity'] = self.similarity
        return [dict(type='KNNHook', **settings, **loaders)]
