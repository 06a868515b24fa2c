"""Parts shared by the suites of the family: one small budget, each method beside its start."""

from __future__ import annotations

from typing import Any

from mochi_mm.experiments.figures import BEFORE, TRAINING, Figure
from mochi_mm.experiments.images import Images
from mochi_mm.experiments.suite import RecordPlan

#: Mixing starts at the epoch of the config, whatever the budget.
BUDGET: dict[str, Any] = dict(
    epochs=15,
    images=Images(per_class=800, queries_per_class=400, first=True),
    seeds=(0,),
    shares=False,
    record_seeds=1,
    notes="""
kNN top-1 (k = 20) in percent; the images trained on vote. CPU seconds are those of the training; a
run that was interrupted has none.
""",
)
#: How a record says that it was measured.
PROTOCOL = 'weighted kNN, k=20, temperature 0.07, family at one small budget'
TIME = Figure(TRAINING, 'CPU seconds', 'CPU seconds', digits=0, unit='s')


def gain(key: str, title: str) -> tuple[Figure, ...]:
    """Return the figures of a value before and after the training, and what it gained."""
    return (
        Figure(f'{key}{BEFORE}', f'{title}, untrained', f'{title}, untrained'),
        Figure(key, f'{title}, trained', title),
        Figure(key, 'gain', f'gain in {title}', less=f'{key}{BEFORE}'),
    )


def record(suite: str, *keys: str) -> RecordPlan:
    """Return the record of a suite: some values, before and after the training."""
    names = tuple(name for key in keys for name in (key, f'{key}{BEFORE}'))
    return RecordPlan(f'family-{suite}-{{setting}}.json', PROTOCOL, names)
