"""Learning rates that the schedules of a run will set, known before it begins."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from mochi_mm.registry import PARAM_SCHEDULERS

# Steps that are looked at, spread over a longer run; a schedule's form does not change by that.
_LOOKS = 2000
_IN_ITERATIONS = ('begin', 'end', 'T_max', 'step_size', 'total_steps')


def planned_rates(
    schedules: Sequence[Mapping[str, Any]], rate: float, epochs: int, length: int
) -> list[float]:
    """Return the learning rate of steps spread evenly over a run, the first and last included.

    Args:
        schedules: The config's ``param_scheduler``.
        rate: Learning rate before any of them.
        epochs: Number of epochs of the run; 0 in a loop that counts iterations.
        length: Iterations per epoch, or of the whole run in a loop that counts them.
    """
    parts = max(1, epochs)
    short = max(1, min(length, _LOOKS // parts))
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    built = [_build(schedule, optimizer, parts, length, short) for schedule in schedules]
    rates = []
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', UserWarning)  # that the optimizer does not step
        for _ in range(parts):
            for _ in range(short):
                rates.append(float(optimizer.param_groups[0]['lr']))
                for scheduler in (s for s in built if not s.by_epoch):
                    scheduler.step()
            for scheduler in (s for s in built if s.by_epoch):
                scheduler.step()
    return rates


def _build(schedule: Mapping[str, Any], optimizer: Any, parts: int, length: int, short: int) -> Any:
    settings = copy.deepcopy(dict(schedule))
    by_epoch = settings.get('by_epoch', True)
    settings.setdefault('end', parts if by_epoch else parts * length)
    if not by_epoch:
        for key in (key for key in _IN_ITERATIONS if isinstance(settings.get(key), int)):
            scaled = round(settings[key] * short / length)
            settings[key] = max(scaled, 0 if key == 'begin' else settings.get('begin', 0) + 1)
        if settings.get('milestones'):
            settings['milestones'] = [round(m * short / length) for m in settings['milestones']]
    extra = dict(optimizer=optimizer, epoch_length=short)
    return PARAM_SCHEDULERS.build(settings, default_args=extra)


def describe_rates(rates: Sequence[float], epochs: int, iterations: int) -> str:
    """Return in one sentence the first, the highest and the last rate, and when it falls.

    Args:
        rates: Learning rates from :func:`planned_rates`.
        epochs: Number of epochs of the run; 0 in a loop that counts iterations.
        iterations: Number of iterations of the run.
    """

    def when(index: int) -> str:
        share = index / len(rates)
        return (
            f'epoch {int(share * epochs) + 1}' if epochs else f'iteration {int(share * iterations)}'
        )

    top = max(rates)
    highest = rates.index(top)
    falls = next((i for i in range(highest + 1, len(rates)) if rates[i] < top), None)
    text = f'learning rate: {rates[0]:.3g} at the first step'
    if highest:
        text += f', {top:.3g} from {when(highest)}'
    if falls is None:
        return f'{text}; it never falls'
    return f'{text}, falls from {when(falls)} on, {rates[-1]:.3g} at the last step'


def beyond_the_end(
    schedules: Sequence[Mapping[str, Any]], epochs: int, iterations: int
) -> list[str]:
    """Return, of each schedule that is cut off by the end of the run, where it says what."""
    found = []
    for i, schedule in enumerate(schedules):
        last = epochs if schedule.get('by_epoch', True) else iterations
        for key in ('end', 'T_max', 'milestones'):
            value = schedule.get(key)
            values = value if isinstance(value, (list, tuple)) else [value]
            if any(isinstance(v, int) and v > last for v in values) and last:
                found.append(f'param_scheduler.{i}.{key}={value}')
                break
    return found
