"""Epoch in which a setting reaches the final accuracy of the one it is compared with."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from mochi_mm.experiments.figures import Values, half_interval, mean_and_spread
from mochi_mm.experiments.setting import Setting


def curve_of(values: Mapping[str, float], key: str) -> list[tuple[float, float]]:
    """Return the course (epoch, value) of a scalar that :class:`Logged` reported, in order."""
    pattern = re.compile(rf'{re.escape(key)} at epoch ([\d.]+)')
    found = ((pattern.fullmatch(name), value) for name, value in values.items())
    return sorted((float(match[1]), value) for match, value in found if match)


def epochs_to(curve: Sequence[tuple[float, float]], level: float) -> float:
    """Return the epoch at which a course first reaches a level, by straight lines between looks.

    Args:
        curve: (epoch, value) in order.
        level: The value that is to be reached.

    Returns:
        NaN where it is not reached; the epoch of the first look where that is above already.

    >>> epochs_to([(3, 10.0), (6, 14.0), (9, 15.0)], 13.0)
    5.25
    """
    for number, (epoch, value) in enumerate(curve):
        if value >= level:
            if number == 0:
                return float(epoch)
            start, before = curve[number - 1]
            return start + (epoch - start) * (level - before) / (value - before)
    return math.nan


def reaching(values: Values, setting: Setting, other: Setting, key: str) -> str:
    """Return a sentence on when a setting reaches the last value of another, seed by seed.

    Args:
        values: Values of the finished runs.
        setting: The one.
        other: The one whose last value is to be reached.
        key: Name of the scalar in the log.
    """
    found: dict[int, float] = {}
    last = 0.0
    for seed, theirs in sorted(values.get(other.name, {}).items()):
        goal, course = (
            curve_of(theirs, key),
            curve_of(values.get(setting.name, {}).get(seed, {}), key),
        )
        if goal and course:
            last = goal[-1][0]
            found[seed] = epochs_to(course, goal[-1][1])
    who = f'{setting.title} reaches the last {key} of {other.title}'
    if not found:
        return f'**not measured**: when {who}.'
    reached = [epoch for epoch in found.values() if not math.isnan(epoch)]
    each = ', '.join(f'{s}: {"never" if math.isnan(e) else f"{e:.1f}"}' for s, e in found.items())
    text = f'{who} (epoch {last:g}) in {len(reached)} of {len(found)} seeds; at epoch {each}'
    if len(reached) < len(found) or len(found) < 2:
        return f'{text}: no mean is given.'
    mean, spread = mean_and_spread(reached)
    half = half_interval(spread, len(reached))
    return f'{text}; mean {mean:.1f}, 95 % interval {mean - half:.1f} to {mean + half:.1f}.'
