"""The course of a scalar that was logged while a network trained."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mochi_mm.experiments.measures.measure import Measure
from mochi_mm.experiments.measures.subject import Subject
from mochi_mm.runs.run import read_run


@dataclass(frozen=True)
class Logged(Measure):
    """Report ``<key> at epoch <e>`` for each time that a scalar was logged.

    Attributes:
        key: Name of the scalar in the log, such as ``knn/top1``.
        each_epoch: Only the last value of each epoch, by the number of that epoch.
        optional: Whether some settings of the suite have no such scalar, and report nothing.
    """

    key: str
    each_epoch: bool = False
    optional: bool = False

    def __call__(self, subject: Subject) -> dict[str, float]:
        """Return the course, nothing for an untrained network.

        Raises:
            ValueError: Nothing of that name was logged.
        """
        if not subject.epochs:
            return {}
        epochs, values = read_run(subject.folder).log.curve(self.key, True)
        if not epochs and self.optional:
            return {}
        if not epochs:
            raise ValueError(
                f'{subject.folder} has logged no {self.key}; expected a scalar of its log, or a '
                'measure that watches it.'
            )
        if self.each_epoch:
            epochs = [math.ceil(e) for e in epochs]
        return {f'{self.key} at epoch {e:g}': v for e, v in zip(epochs, values, strict=True)}
