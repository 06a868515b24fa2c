"""Stage 0 of the evidence plan: MoCo-v2 alone, which task it learns to solve.

Views, queue and the end of the neck; validation images that were cut from the training images.
"""

from __future__ import annotations

from pathlib import Path

from mochi_mm.experiments import evidence_plan as plan
from mochi_mm.experiments.choices import Gate, choose_regime
from mochi_mm.experiments.figures import Values
from mochi_mm.experiments.measures import KNN, Analysis, FastLinear
from mochi_mm.experiments.setting import Setting
from mochi_mm.experiments.suite import Suite


def _choice(out: Path, by_data: dict[str, Values]) -> list[str]:
    values = by_data.get(plan.DATA, {})
    gate = Gate(plan.LINEAR, plan.OWN_KEY, plan.GATE, plan.PILOT_SEEDS)
    return [choose_regime(values, plan.REFERENCE, plan.CANDIDATES, gate)[1]]


SUITE = Suite(
    title='Evidence plan, stage 0: the regime of MoCo-v2',
    epochs=2,
    images=plan.IMAGES,
    settings=[
        Setting(
            name,
            f'MoCo-v2, {regime.words()}',
            plan.CONFIG,
            plan.DATA,
            regime.options(),
            'candidate' if name in plan.CANDIDATES else '',
            '' if name == plan.REFERENCE else plan.REFERENCE,
        )
        for name, regime in plan.REGIMES.items()
    ],
    seeds=plan.PILOT_SEEDS,
    measures=(KNN(watch=False), FastLinear(), Analysis()),
    looks=1,
    figures=plan.FIGURES,
    compared=(plan.LINEAR.key, plan.KNN_TOP1.key),
    more=_choice,
    records=plan.records('stage0', plan.FIGURES),
    record_seeds=2,
)
