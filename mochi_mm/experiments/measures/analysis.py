"""Alignment, uniformity, contrastive accuracy, false negatives: all that an analysis knows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mochi_mm.evaluation.analysis import AnalysisSettings, analyze, view_batches
from mochi_mm.evaluation.analysis.records import read_analysis
from mochi_mm.evaluation.analysis.settings import FEATURE_MEASURES
from mochi_mm.experiments.measures.measure import Measure
from mochi_mm.experiments.measures.subject import Subject
from mochi_mm.registry import DATASETS


@dataclass(frozen=True)
class Analysis(Measure):
    """Measure what ``docs/analysis.md`` describes, shares in [0, 1].

    A trained network was analyzed with its memory at the end of its training; an untrained one
    has an empty memory, so that its features alone are analyzed.

    Attributes:
        settings: Those of :class:`AnalysisSettings` that are not the usual ones.
        course: Also report every number as ``<name> at epoch <e>``, of each analysis that was made
            while the network trained.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    course: bool = False

    def __call__(self, subject: Subject) -> dict[str, float]:
        """Return every number that there is; none of a measure that the network has no value of."""
        found = self._measure(subject)
        return {name: value for name, value in found.items() if math.isfinite(value)}

    def _measure(self, subject: Subject) -> dict[str, float]:
        if subject.epochs:
            folder = subject.folder / 'analysis'
            last = folder / f'epoch_{subject.epochs}.json'
            found = dict(read_analysis(last)[0]['scalars'])
            for path in folder.glob('epoch_*.json') if self.course else ():
                epoch = path.stem.removeprefix('epoch_')
                scalars = read_analysis(path)[0]['scalars']
                found.update({f'{k} at epoch {epoch}': v for k, v in scalars.items()})
            return found
        settings = AnalysisSettings(**{'measures': FEATURE_MEASURES, **self.settings})
        train = subject.config.train_dataloader
        images = DATASETS.build(train.dataset)
        views = view_batches(images, settings.num_queries, settings.seed, train.batch_size)
        return analyze(subject.model, subject.loader('query_dataloader'), views, settings).scalars

    def hooks(self, config: Any, interval: int) -> list[dict[str, Any]]:
        """Return the hook that analyzes; it does so at the end as well."""
        hook = dict(type='AnalysisHook', interval=interval, dataloader=config.query_dataloader)
        return [dict(hook, **self.settings)]
