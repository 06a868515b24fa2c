"""Head-room of the evidence plan: MoCo-v2 without and with the class oracle, eight seeds.

What the best negatives could win at all; without it there is no verdict on mixing.
"""

from __future__ import annotations

from pathlib import Path

from mochi_mm.experiments import evidence_controls as controls
from mochi_mm.experiments import evidence_plan as plan
from mochi_mm.experiments.figures import Values
from mochi_mm.experiments.suite import Suite

_SETTINGS = [s for s in controls.settings(plan.DATA) if s.name in ('mocov2', 'mocov2-oracle')]


def _headroom(out: Path, by_data: dict[str, Values]) -> list[str]:
    return [controls.headroom(by_data.get(plan.DATA, {}), _SETTINGS)]


SUITE = Suite(
    title='Evidence plan, head-room',
    images=plan.IMAGES,
    settings=_SETTINGS,
    records=plan.records('headroom', controls.FIGURES),
    record_seeds=8,
    **{**controls.COMMON, 'seeds': plan.FRESH_SEEDS, 'more': _headroom},
)
