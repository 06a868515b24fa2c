"""A chart of the report, as the data that the page draws."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mochi_mm.visualization.report.thinning import thinned

#: Horizontal axes along which a run goes on, and may end.
TIMES = ('epochs', 'iterations')
# Dashes of the variants, in pixels drawn and left out.
_DASHES = ((), (6, 3), (2, 2), (9, 3, 2, 3), (9, 3, 2, 3, 2, 3))
_LIGHTEST = 0.3


@dataclass(frozen=True)
class Series:
    """One line of a chart.

    Attributes:
        run: Number of the run, which gives color and mark.
        x: Places.
        y: Values; NaN leaves a gap.
        variant: Name of the line where a chart has several lines per run; gives dash and shade.
    """

    run: int
    x: Sequence[float]
    y: Sequence[float]
    variant: str = ''


@dataclass(frozen=True)
class Variant:
    """Look of the lines of one name.

    Attributes:
        name: Name of the lines.
        dash: Pixels drawn and left out, in turn.
        shade: Opacity, 1 for the full color.
    """

    name: str
    dash: tuple[int, ...] = ()
    shade: float = 1.0


@dataclass(frozen=True)
class Chart:
    """A chart with its title.

    Attributes:
        title: Title of the chart.
        series: Its lines.
        x_label: Label of the horizontal axis, with the unit.
        y_label: Label of the vertical axis, with the unit.
        factor: Multiplies the values (100 for percent).
        log: Axes that are logarithmic: ``x``, ``y`` or ``xy``.
        note: Note on how to read it.
        path: The lines are paths in a plane, whose last points are marked.
        faded: The variants of a run are an order, drawn from light to dark, and not dashed.
        only: The run that the whole chart is about; None for a chart of several runs.
    """

    title: str
    series: Sequence[Series]
    x_label: str
    y_label: str
    factor: float = 1.0
    log: str = ''
    note: str = ''
    path: bool = False
    faded: bool = False
    only: int | None = None

    @property
    def unit(self) -> str:
        """What the label of the vertical axis ends with in brackets, such as ``%``."""
        found = re.search(r'\(([^()]+)\)$', self.y_label)
        return found[1] if found else ''

    def singles(self) -> list[Series]:
        """Return the lines that have one value, which are bars and no dots."""
        return [] if self.path else [one for one in self.series if len(one.x) == 1]

    def drawn(self) -> list[Series]:
        """Return the other lines."""
        return [one for one in self.series if self.path or len(one.x) > 1]

    def variants(self) -> list[Variant]:
        """Return the look of the lines of each name, in order."""
        names = list(dict.fromkeys(one.variant for one in self.series))
        if self.faded:
            shades = np.linspace(1, _LIGHTEST, len(names))[::-1]
            return [Variant(n, (), float(s)) for n, s in zip(names, shades, strict=True)]
        return [Variant(name, _DASHES[i % len(_DASHES)]) for i, name in enumerate(names)]

    def data(self) -> dict[str, Any]:
        """Return the lines as the page draws them, long ones thinned, gaps as null."""
        variants = self.variants()
        look = {variant.name: variant for variant in variants}
        lines = []
        for one in self.drawn():
            x, y = thinned(one.x, [value * self.factor for value in one.y])
            variant = look[one.variant]
            lines.append(
                dict(
                    run=one.run,
                    name=variant.name if len(variants) > 1 else '',
                    dash=variant.dash,
                    shade=round(variant.shade, 2),
                    x=[_number(value, 'x' in self.log) for value in x],
                    y=[_number(value, 'y' in self.log) for value in y],
                )
            )
        return dict(
            x=self.x_label,
            y=self.y_label,
            unit=self.unit,
            log=self.log,
            path=self.path,
            time=self.x_label in TIMES,
            lines=lines,
        )


def _number(value: float, log: bool) -> float | None:
    """Return a value with six digits, None where there is nothing to draw."""
    if not math.isfinite(value) or (log and value <= 0):
        return None
    return float(f'{value:.6g}')
