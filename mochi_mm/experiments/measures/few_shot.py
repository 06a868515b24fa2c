"""The fast linear probe on a few labeled images of each class."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor

from mochi_mm.evaluation.linear_classifier import L2_GRID
from mochi_mm.experiments.measures.fast_linear import linear_top1
from mochi_mm.experiments.measures.measure import Measure
from mochi_mm.experiments.measures.subject import Subject


@dataclass(frozen=True)
class FewShot(Measure):
    """Measure ``few_shot/top1_n<shots>`` in percent, a mean over draws.

    The draws are the same for every network with the same images.

    Attributes:
        shots: Labeled images of each class, at least 5: a fifth of them chooses the penalty.
        draws: Number of draws.
        queries: Loader of the images that are classified.
        penalties: What the penalty of a probe is chosen from.
    """

    shots: int = 10
    draws: int = 5
    queries: str = 'query_dataloader'
    penalties: tuple[float, ...] = L2_GRID

    def __call__(self, subject: Subject) -> dict[str, float]:
        """Return the one figure."""
        features, labels = subject.features('bank_dataloader')
        queries = subject.features(self.queries)
        found = []
        for draw in range(self.draws):
            rows = few_of_each(labels, self.shots, draw)
            few = features[rows], labels[rows]
            found.append(linear_top1(few, queries, subject, self.penalties)[0])
        return {f'few_shot/top1_n{self.shots}': fmean(found)}


def few_of_each(labels: Tensor, shots: int, seed: int) -> Tensor:
    """Return (classes * shots,) positions, ``shots`` of each class, drawn by the seed.

    Raises:
        ValueError: A class with fewer.
    """
    generator = torch.Generator().manual_seed(seed)
    chosen = []
    for label in labels.unique().tolist():
        places = (labels == label).nonzero().flatten()
        if len(places) < shots:
            raise ValueError(
                f'class {label} has {len(places)} labeled images, {shots} of each are wanted; '
                'take fewer shots or more images.'
            )
        chosen.append(places[torch.randperm(len(places), generator=generator)[:shots]])
    return torch.cat(chosen)
