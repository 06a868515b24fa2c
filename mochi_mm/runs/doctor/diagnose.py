"""All checks of a run."""

from __future__ import annotations

from collections.abc import Callable

from mochi_mm.runs.doctor.batch_norm_leak import batch_norm_leak
from mochi_mm.runs.doctor.collapsed_dimensions import collapsed_dimensions
from mochi_mm.runs.doctor.constant_rate import constant_rate
from mochi_mm.runs.doctor.facts import Facts
from mochi_mm.runs.doctor.finding import Finding
from mochi_mm.runs.doctor.identical_views import identical_views
from mochi_mm.runs.doctor.loss_at_chance import loss_at_chance
from mochi_mm.runs.doctor.near_duplicate_negatives import near_duplicate_negatives
from mochi_mm.runs.doctor.own_keys import own_keys
from mochi_mm.runs.doctor.slow_data import slow_data
from mochi_mm.runs.doctor.still_memory import still_memory

CHECKS: tuple[Callable[[Facts], Finding], ...] = (
    loss_at_chance,
    identical_views,
    still_memory,
    own_keys,
    batch_norm_leak,
    collapsed_dimensions,
    constant_rate,
    slow_data,
    near_duplicate_negatives,
)


def diagnose(facts: Facts) -> list[Finding]:
    """Return the finding of every check, in their order."""
    return [check(facts) for check in CHECKS]
