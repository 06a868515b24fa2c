"""The fast linear probe on a data set that the network was not trained on."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from mochi_mm.evaluation.linear_classifier import L2_GRID
from mochi_mm.experiments.images import source_of
from mochi_mm.experiments.measures.fast_linear import linear_top1
from mochi_mm.experiments.measures.measure import Measure
from mochi_mm.experiments.measures.subject import Subject


@dataclass(frozen=True)
class LinearTransfer(Measure):
    """Measure ``transfer/<folder>`` in percent: fitted to all of its ``train``, tested on ``val``.

    The images pass the evaluation pipeline of the run's config.

    Attributes:
        folder: The other data set, in the data root.
        penalties: What the penalty of the probe is chosen from.
    """

    folder: str
    penalties: tuple[float, ...] = L2_GRID

    def __call__(self, subject: Subject) -> dict[str, float]:
        """Return the one figure."""
        bank, queries = (
            subject.extract(subject.build(self._loader(subject, name, split)))
            for name, split in (('bank_dataloader', 'train'), ('query_dataloader', 'val'))
        )
        return {f'transfer/{self.folder}': linear_top1(bank, queries, subject, self.penalties)[0]}

    def data(self) -> tuple[str, ...]:
        """Return the other data set."""
        return (self.folder,)

    def _loader(self, subject: Subject, name: str, split: str) -> Any:
        loader = copy.deepcopy(subject.config[name])
        source = source_of(loader)
        if 'data_root' not in source:
            raise ValueError(
                f'{name} of {subject.config.filename} reads no folder of images, so no other '
                'folder can stand in its place; expected an ImageFolder.'
            )
        source.pop('include', None)
        source.update(data_root=str(subject.data_root / self.folder), split=split)
        return loader
