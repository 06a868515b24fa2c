"""The law of the evidence plan: gain against share of false negatives, on generated scenes.

Worlds of 5, 10, 20, 50 and 100 classes at the same number of images, with and without the oracle.
"""

from __future__ import annotations

from mochi_mm.experiments import evidence_law as law
from mochi_mm.experiments import evidence_plan as plan
from mochi_mm.experiments.measures import KNN, Analysis, FastLinear
from mochi_mm.experiments.suite import Suite

SUITE = Suite(
    title='Evidence plan, the law: gain and share of false negatives',
    epochs=5,
    settings=[setting for classes in law.CLASSES for setting in law.settings(classes)],
    options=plan.regime_options(),
    seeds=plan.CONTROL_SEEDS,
    measures=(KNN(watch=False), FastLinear(penalties=plan.PENALTIES), Analysis()),
    looks=1,
    shares=False,
    figures=plan.FIGURES,
    compared=(plan.LINEAR.key, plan.KNN_TOP1.key),
    more=law.figure,
    records=plan.records('law', plan.FIGURES),
)
