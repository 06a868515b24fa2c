"""Controls of the evidence plan on CIFAR-10: ten classes, so more of the negatives are false."""

from __future__ import annotations

from mochi_mm.experiments import evidence_controls as controls
from mochi_mm.experiments import evidence_plan as plan
from mochi_mm.experiments.images import Images
from mochi_mm.experiments.suite import Suite

_WANTED = ('mocov2', plan.CHOSEN_MIXING, 'mocov2-oracle', 'mochi-oracle')

SUITE = Suite(
    title='Evidence plan, controls on CIFAR-10',
    images=Images(3500, 500, held_out=True, final_per_class=1000),
    settings=[s for s in controls.settings('cifar10') if s.name in _WANTED],
    records=plan.records('controls', controls.FIGURES),
    **controls.COMMON,
)
