"""Bars in place of lines, where each run has a single value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mochi_mm.visualization.report.chart import Chart, Series


@dataclass(frozen=True)
class Bar:
    """One bar, from zero to a value.

    Attributes:
        run: Number of the run.
        text: The value, with its unit.
        left: Where the bar begins, in percent of the width.
        width: In percent of the width; 0 for a value that is not finite.
    """

    run: int
    text: str
    left: float
    width: float


def bars_of(chart: Chart) -> list[tuple[str, list[Bar]]]:
    """Return the bars of each variant: one for each line of a chart that is a single value.

    All bars of a chart have one scale, which holds zero. Each carries its value, so runs are told
    apart by number where bars are alike.

    Args:
        chart: A chart.
    """
    singles = chart.singles()
    values = [float(one.y[0]) * chart.factor for one in singles]
    finite = [value for value in values if math.isfinite(value)]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    span = (high - low) or 1.0
    groups: dict[str, list[Bar]] = {}
    for one, value in zip(singles, values, strict=True):
        if math.isfinite(value):
            text = f'{value:.4g} {chart.unit}'.strip()
            left, width = (min(value, 0.0) - low) / span, abs(value) / span
        else:
            text, left, width = 'not finite', 0.0, 0.0
        bar = Bar(one.run, text, round(100 * left, 2), round(100 * width, 2))
        groups.setdefault(one.variant, []).append(bar)
    return list(groups.items())


def places(series: Sequence[Series], names: Sequence[str], unit: str) -> str:
    """Return when single values were measured, as a sentence; '' where there are none.

    Args:
        series: Lines of a chart; those of one value are bars.
        names: Name of each run.
        unit: ``epochs`` or ``iterations``.
    """
    singles = [one for one in series if len(one.x) == 1]
    at = {one.run: float(one.x[0]) for one in singles}
    if not at:
        return ''
    listed = ', '.join(f'{names[run]} {place:g}' for run, place in at.items())
    if len(singles) < len(series):
        return f'Bars: runs with one value, after so many {unit}: {listed}.'
    if len(set(at.values())) == 1:
        return f'One value a run, after {next(iter(at.values())):g} {unit}.'
    return f'One value a run, at different times ({unit}): {listed}.'
