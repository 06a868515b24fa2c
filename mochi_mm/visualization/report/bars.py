"""Bars in place of lines, where each run has a single value."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mochi_mm.visualization.report.charts import (
    Series,
    color_of,
    finish,
    label_axes,
    new_figure,
    run_handles,
)

_HATCHES = ('', '//', '..', 'xx', '--')
_COLORS = 8


def are_single(series: Sequence[Series]) -> bool:
    """Return whether no line has a second value, so that all of them would be dots."""
    return all(len(one.x) == 1 for one in series)


def bar_chart(
    series: Sequence[Series], names: Sequence[str], y_label: str, y_scale: float = 1.0
) -> str:
    """Return a group of bars for each variant, one bar a run, as a data URI.

    Each bar carries its value, so runs are told apart by number where heights are alike. A value
    that is not finite has no bar.

    Args:
        series: One value each.
        names: Name of each run, for the legend.
        y_label: Label of the vertical axis, with the unit.
        y_scale: Multiplies the values (100 for percent).
    """
    figure, axis = new_figure()
    variants = list(dict.fromkeys(one.variant for one in series))
    shown = sorted({one.run for one in series})
    width = 0.8 / len(shown)
    few = len(series) <= 16
    for one in series:
        value = float(one.y[0]) * y_scale
        if not math.isfinite(value):
            continue
        place = variants.index(one.variant) - 0.4 + width * (shown.index(one.run) + 0.5)
        axis.bar(
            [place], [value], 0.92 * width, color=color_of(one.run), edgecolor='white',
            hatch=_HATCHES[one.run // _COLORS % len(_HATCHES)], linewidth=0,
        )  # fmt: skip
        if few:
            up = value >= 0
            axis.annotate(
                f'{value:.3g}', (place, value), (0, 2 if up else -2), fontsize=7,
                textcoords='offset points', ha='center', va='bottom' if up else 'top',
            )  # fmt: skip
    axis.set_xticks(np.arange(len(variants)), [variant or '' for variant in variants])
    axis.set_xlim(-0.6, len(variants) - 0.4)
    axis.axhline(0, color='#333333', linewidth=0.8)
    axis.margins(y=0.12)
    label_axes(axis, '', y_label)
    axis.grid(False, axis='x')
    return finish(figure, run_handles(shown, names))


def places(series: Sequence[Series], names: Sequence[str], unit: str) -> str:
    """Return when the single values were measured, as a sentence.

    Args:
        series: One value each.
        names: Name of each run.
        unit: ``epochs`` or ``iterations``.
    """
    at = {one.run: float(one.x[0]) for one in series}
    if len(set(at.values())) == 1:
        return f'One value a run, after {next(iter(at.values())):g} {unit}.'
    listed = ', '.join(f'{names[run]} {place:g}' for run, place in at.items())
    return f'One value a run, at different times ({unit}): {listed}.'
