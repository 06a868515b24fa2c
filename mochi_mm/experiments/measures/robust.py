"""Accuracy on clean, attacked and corrupted images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mochi_mm.evaluation.robustness import RobustnessSettings, measure_robustness
from mochi_mm.evaluation.robustness.corruptions import CORRUPTIONS
from mochi_mm.evaluation.robustness.fitted_classifier import fitted_classifier
from mochi_mm.evaluation.some_images import some_images
from mochi_mm.experiments.measures.measure import Measure
from mochi_mm.experiments.measures.subject import Subject


@dataclass(frozen=True)
class Robust(Measure):
    """Measure ``robustness/clean``, ``robustness/pgd20_linf_8`` and so on, in percent.

    Figures and protocol are those of ``tools/analysis/robustness.py``.

    Attributes:
        queries: Loader of the images that are classified.
        num_images: Number of them, evenly spaced.
        epsilons: Radii of the attacks, as shares of the range of a pixel.
        steps: Number of steps of an attack.
        corruptions: Names of the corruptions.
        own: Attack a head that classifies; False fits the probe to every network.
    """

    queries: str = 'query_dataloader'
    num_images: int = 1000
    epsilons: Sequence[float] = (1 / 255, 2 / 255, 4 / 255, 8 / 255)
    steps: int = 20
    corruptions: Sequence[str] = CORRUPTIONS
    own: bool = True

    def __call__(self, subject: Subject) -> dict[str, float]:
        """Return the figures."""
        settings = RobustnessSettings(self.epsilons, self.steps, corruptions=self.corruptions)
        images = some_images(subject.loader(self.queries), self.num_images)
        classifier, _ = fitted_classifier(
            subject.model,
            lambda: subject.features('bank_dataloader'),
            device=subject.device,
            own=self.own,
        )
        found = measure_robustness(classifier, images, settings, subject.device, len(images))
        return {f'robustness/{name}': value for name, value in found.items()}
