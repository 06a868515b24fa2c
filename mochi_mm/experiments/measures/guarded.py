"""What a guard saw of a representation, from its start to the end of the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mochi_mm.engine.guard_limits import LABEL_FREE, GuardLimits
from mochi_mm.experiments.measures.measure import Measure
from mochi_mm.experiments.measures.subject import Subject
from mochi_mm.runs.run import read_run

START, END = 'at the start', 'at the end'
#: Measurement behind the start that first went beyond a limit, 0 for none.
SEEN, SEEN_FREE = 'guard/seen by kNN', 'guard/seen without labels'


@dataclass(frozen=True)
class Guarded(Measure):
    """Watch with a guard that measures kNN and what needs no labels, and warns without stopping.

    Reports ``guard/<measure> at the start`` and ``at the end``, and at which measurement the
    default limits are first exceeded, of kNN and of the measures without labels.

    Attributes:
        k: Number of neighbors.
    """

    k: int = 20

    def __call__(self, subject: Subject) -> dict[str, float]:
        """Return the figures, nothing for an untrained network."""
        if not subject.epochs:
            return {}
        log = read_run(subject.folder).log
        curves = {name: log.curve(f'guard/{name}', True)[1] for name in ('knn', *LABEL_FREE)}
        found = {f'guard/{name} {START}': values[0] for name, values in curves.items()}
        found.update({f'guard/{name} {END}': values[-1] for name, values in curves.items()})
        found[SEEN] = first_seen(curves, GuardLimits.of(None, labeled=True))
        found[SEEN_FREE] = first_seen(curves, GuardLimits.of(None, labeled=False))
        return found

    def hooks(self, config: Any, interval: int) -> list[dict[str, Any]]:
        """Return the guard."""
        loaders = dict(dataloader=config.query_dataloader, bank_dataloader=config.bank_dataloader)
        return [dict(type='RepresentationGuardHook', interval=interval, k=self.k, **loaders)]


def first_seen(curves: Mapping[str, Sequence[float]], limits: GuardLimits) -> int:
    """Return the number of the measurement at which a limit is first exceeded, 0 for none.

    Args:
        curves: Values of each measure, the start first.
        limits: What each measure may lose against the start.
    """
    looks = [
        dict(zip(curves, values, strict=True)) for values in zip(*curves.values(), strict=True)
    ]
    return next((i for i, now in enumerate(looks) if i and limits.broken(now, looks[0])), 0)
