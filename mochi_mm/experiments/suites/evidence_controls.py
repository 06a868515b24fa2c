"""Controls of the evidence plan: is it the temperature, the number of negatives, the query?

Also SynCo, and the class oracle of both: without head-room for better negatives, no verdict.
"""

from __future__ import annotations

from mochi_mm.experiments import evidence_controls as controls
from mochi_mm.experiments import evidence_plan as plan
from mochi_mm.experiments.suite import Suite

SUITE = Suite(
    title='Evidence plan, controls',
    images=plan.IMAGES,
    settings=controls.settings(plan.DATA),
    records=plan.records('controls', controls.FIGURES),
    **controls.COMMON,
)
