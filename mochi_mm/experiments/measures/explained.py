"""How well a network is explained and calibrated."""

from __future__ import annotations

from dataclasses import dataclass

from mochi_mm.evaluation.explanations import measure_explanations
from mochi_mm.evaluation.robustness.fitted_classifier import fitted_classifier
from mochi_mm.evaluation.some_images import some_images
from mochi_mm.experiments.measures.measure import Measure
from mochi_mm.experiments.measures.subject import Subject


@dataclass(frozen=True)
class Explained(Measure):
    """Measure ``explained/clean``, ``explained/average_drop`` and so on, in percent.

    See :func:`~mochi_mm.evaluation.explanations.measure_explanations`. Of every network, also one
    with a classifier of its own, in the fast linear probe, so that networks can be compared.

    Attributes:
        layer: Name of a layer of the backbone.
        queries: Loader of the images that are explained.
        num_images: Number of them, evenly spaced.
        share: Share of the pixels that is kept.
    """

    layer: str
    queries: str = 'query_dataloader'
    num_images: int = 1000
    share: float = 0.15

    def __call__(self, subject: Subject) -> dict[str, float]:
        """Return the figures."""
        images = some_images(subject.loader(self.queries), self.num_images)
        classifier, _ = fitted_classifier(
            subject.model,
            lambda: subject.features('bank_dataloader'),
            device=subject.device,
            own=False,
        )
        found = measure_explanations(classifier, images, self.layer, self.share, subject.device)
        return {f'explained/{name}': value for name, value in found.items()}
