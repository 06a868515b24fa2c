"""Stage 1 of the evidence plan: which (N, s, s') and how many of the hardest to skip.

In the regime that stage 0 chose; validation images that were cut from the training images.
"""

from __future__ import annotations

from pathlib import Path

from mochi_mm.experiments import evidence_plan as plan
from mochi_mm.experiments.choices import choose_mixing, gate_of
from mochi_mm.experiments.figures import Values
from mochi_mm.experiments.measures import KNN, Analysis, FastLinear
from mochi_mm.experiments.setting import Setting
from mochi_mm.experiments.suite import Suite


def _choice(out: Path, by_data: dict[str, Values]) -> list[str]:
    sizes = {name: (mixing.total, mixing.skip) for name, mixing in plan.MIXINGS.items()}
    values = by_data.get(plan.DATA, {})
    return [
        gate_of(values, 'mocov2', plan.OWN_KEY, plan.LATER_GATE, plan.PILOT_SEEDS),
        choose_mixing(values, sizes, plan.LINEAR, plan.PILOT_SEEDS)[1],
    ]


SUITE = Suite(
    title="Evidence plan, stage 1: the choice of (N, s, s') and skip",
    epochs=6,
    images=plan.IMAGES,
    settings=[
        Setting('mocov2', 'MoCo-v2', plan.CONFIG, plan.DATA, role='baseline'),
        *(
            Setting(name, mix.words(), plan.CONFIG, plan.DATA, mix.options(), 'mixing', 'mocov2')
            for name, mix in plan.MIXINGS.items()
        ),
    ],
    options=plan.regime_options(),
    seeds=plan.PILOT_SEEDS,
    measures=(KNN(watch=False), FastLinear(), Analysis()),
    looks=1,
    shares=False,
    figures=plan.FIGURES,
    compared=(plan.LINEAR.key, plan.KNN_TOP1.key),
    more=_choice,
    records=plan.records('stage1', plan.FIGURES),
    record_seeds=2,
)
