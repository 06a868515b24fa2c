"""Whether the learning rate falls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mochi_mm.registry import component_name
from mochi_mm.runs.doctor.facts import Facts, whole
from mochi_mm.runs.doctor.finding import Finding, healthy, not_measured, wrong

CHECK = 'a learning rate that never falls'
_FALLEN = 0.5
_NEAR_THE_END = 0.9
# What warms up or holds, and never falls.
_RISING = ('LinearLR', 'ConstantLR', 'LinearParamScheduler', 'ConstantParamScheduler')
_FIX = (
    "param_scheduler: add dict(type='CosineAnnealingLR', by_epoch=True, T_max=EPOCHS, "
    'convert_to_iter_based=True) with the epochs of train_cfg.max_epochs, as in '
    'configs/_base_/schedules.'
)


def constant_rate(facts: Facts) -> Finding:
    """Compare the last learning rate of the log with the largest one.

    Wrong where a run that is at its end (nine tenths of it, where it did not say so) has more than
    half of the largest rate left; of a younger run, where no schedule of the config falls.
    """
    _, rates = facts.curve('lr')
    if len(rates) < 2:
        return not_measured(CHECK, 'the log has fewer than two values of lr')
    peak, last = float(rates.max()), float(rates[-1])
    evidence = [f'lr {last:.3g} at the last line of the log, {peak:.3g} at most (scalars.json)']
    done = _share_done(facts)
    falls = _falls(facts)
    if done is not None:
        evidence.append(f'{min(done, 1):.0%} of the run has passed (log and train_cfg)')
    if last <= _FALLEN * peak:
        return healthy(CHECK, f'it fell to {last / peak:.1%} of its largest value', evidence)
    if falls is False:
        sentence = 'no part of param_scheduler lets it fall'
        return wrong(CHECK, sentence, [*evidence, 'param_scheduler of the config'], _FIX)
    if done is not None and done >= _NEAR_THE_END:
        sentence = f'the run ends with {last / peak:.0%} of its largest learning rate'
        return wrong(CHECK, sentence, evidence, _FIX)
    if falls:
        return healthy(CHECK, 'it falls later, by param_scheduler of the config', evidence)
    return not_measured(
        CHECK, 'it has not fallen yet, and neither log nor config says when it is to'
    )


def _share_done(facts: Facts) -> float | None:
    """Return the share of the run that has passed, None where nothing says how long it is."""
    if facts.run.ending.state == 'finished':
        return 1.0
    if iterations := whole(facts.setting('train_cfg', 'max_iters')):
        return facts.last_step / iterations
    epochs, passed = whole(facts.setting('train_cfg', 'max_epochs')), facts.run.log.per_epoch
    return facts.last_step / (passed * epochs) if epochs and passed else None


def _falls(facts: Facts) -> bool | None:
    """Return whether a schedule of the config lets the rate fall; None where none is known."""
    if not facts.run.config:
        return None
    schedules: Any = facts.run.config.get('param_scheduler') or []
    schedules = [schedules] if isinstance(schedules, Mapping) else schedules
    if not isinstance(schedules, list):
        return None
    kinds = [component_name(s) for s in schedules if isinstance(s, Mapping)]
    return any(kind not in _RISING for kind in kinds)
