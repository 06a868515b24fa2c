"""Charts of the report: matplotlib, handed over as images inside the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mochi_mm.visualization.legend import plain_legend

# Colors that stay apart for color-blind eyes (Okabe and Ito), dark enough on white.
_COLORS = ('#0072b2', '#d55e00', '#009e73', '#b0568f', '#000000', '#b87f00', '#3a8fc4', '#6b6b00')
_MARKERS = ('o', 's', '^', 'D', 'v')
_STYLES = ('-', '--', ':', '-.', (0, (5, 1, 1, 1, 1, 1)))
_FEW = 16


@dataclass(frozen=True)
class Series:
    """One line of a chart.

    Attributes:
        run: Number of the run, which gives the color (and, from the ninth on, the marker).
        x: Places.
        y: Values; NaN leaves a gap.
        variant: Name of the line where a chart has several lines per run; gives the line style.
    """

    run: int
    x: Sequence[float]
    y: Sequence[float]
    variant: str = ''


def color_of(run: int) -> str:
    """Return the color of a run."""
    return _COLORS[run % len(_COLORS)]


def line_chart(
    series: Sequence[Series],
    names: Sequence[str],
    x_label: str,
    y_label: str,
    log: str = '',
    y_scale: float = 1.0,
) -> str:
    """Return a chart of lines as a data URI.

    Args:
        series: The lines.
        names: Name of each run, for the legend.
        x_label: Label of the horizontal axis, with the unit.
        y_label: Label of the vertical axis, with the unit.
        log: Axes that are logarithmic: ``x``, ``y`` or ``xy``.
        y_scale: Multiplies the values (100 for percent).
    """
    figure, axis = new_figure()
    variants = list(dict.fromkeys(one.variant for one in series))
    for one in series:
        few = len(one.x) <= _FEW
        marker = _MARKERS[one.run // len(_COLORS) % len(_MARKERS)]
        axis.plot(
            one.x,
            np.asarray(one.y, dtype=float) * y_scale,
            color=color_of(one.run),
            linestyle=_STYLES[variants.index(one.variant) % len(_STYLES)],
            linewidth=1.4,
            marker=marker if few or one.run >= len(_COLORS) else None,
            markevery=1 if few else max(1, len(one.x) // 8),
            markersize=3.2,
        )
    axis.set_xscale('log' if 'x' in log else 'linear')
    axis.set_yscale('log' if 'y' in log else 'linear')
    label_axes(axis, x_label, y_label)
    shown = sorted({one.run for one in series})
    return finish(figure, [*run_handles(shown, names), *_variant_handles(variants)])


def scatter_chart(series: Sequence[Series], names: Sequence[str], labels: tuple[str, str]) -> str:
    """Return the paths of runs in a plane, their ends marked, as a data URI.

    Args:
        series: One path per run; its last point is the latest.
        names: Name of each run.
        labels: Labels of the two axes, with the units.
    """
    figure, axis = new_figure()
    for one in series:
        color = color_of(one.run)
        marker = _MARKERS[one.run // len(_COLORS) % len(_MARKERS)]
        axis.plot(one.x, one.y, color=color, linewidth=0.9, marker='.', markersize=3, alpha=0.7)
        axis.plot(one.x[-1:], one.y[-1:], color=color, marker=marker, markersize=9)
    label_axes(axis, *labels)
    return finish(figure, run_handles(sorted({one.run for one in series}), names))


def sequence_chart(
    curves: Sequence[tuple[str, np.ndarray]], x_label: str, y_label: str, log: str = ''
) -> str:
    """Return curves over their index from 1 on, light to dark in their order, as a data URI.

    Args:
        curves: Name and values, in order.
        x_label: With the unit.
        y_label: With the unit.
        log: Axes that are logarithmic.
    """
    from matplotlib import colormaps

    figure, axis = new_figure()
    shades = colormaps['viridis_r'](np.linspace(0.25, 1.0, max(len(curves), 2)))
    handles = []
    for (name, values), shade in zip(curves, shades[-len(curves) :], strict=True):
        place = np.arange(1, len(values) + 1)
        handles += axis.plot(place, values, color=shade, linewidth=1.3, label=name)
    axis.set_xscale('log' if 'x' in log else 'linear')
    axis.set_yscale('log' if 'y' in log else 'linear')
    label_axes(axis, x_label, y_label)
    return finish(figure, handles)


def png_uri(content: bytes) -> str:
    """Return a PNG as a data URI."""
    return 'data:image/png;base64,' + base64.b64encode(content).decode()


def new_figure() -> tuple[Any, Any]:
    """Return a figure that no window system knows about, and its axis."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 3.3), layout='constrained')
    FigureCanvasSVG(figure)
    return figure, figure.add_subplot()


def label_axes(axis: Any, x_label: str, y_label: str) -> None:
    """Label both axes, with the units."""
    axis.set_xlabel(x_label, fontsize=9)
    axis.set_ylabel(y_label, fontsize=9)
    axis.tick_params(labelsize=8)
    axis.grid(alpha=0.25, linewidth=0.6)


def run_handles(runs: Sequence[int], names: Sequence[str]) -> list[Any]:
    """Return what stands for each run in a legend."""
    from matplotlib.lines import Line2D

    return [
        Line2D(
            [],
            [],
            color=color_of(run),
            linewidth=2,
            marker=_MARKERS[run // len(_COLORS) % len(_MARKERS)],
            markersize=4,
            label=names[run],
        )
        for run in runs
    ]


def _variant_handles(variants: Sequence[str]) -> list[Any]:
    from matplotlib.lines import Line2D

    if len(variants) < 2:
        return []
    return [
        Line2D([], [], color='#333333', linestyle=_STYLES[i % len(_STYLES)], label=variant)
        for i, variant in enumerate(variants)
    ]


def finish(figure: Any, handles: Sequence[Any]) -> str:
    """Put the legend below the axes, give it the room it needs, and return the figure."""
    longest = max((len(str(handle.get_label())) for handle in handles), default=0)
    columns = 1 if longest > 36 else 2 if longest > 20 else 3
    rows = -(-len(handles) // columns)
    figure.set_size_inches(5.6, 3.1 + 0.19 * rows)
    plain_legend(figure, handles, columns, 8)
    buffer = io.StringIO()
    metadata = {'Date': None, 'Creator': None, 'Type': None, 'Format': None}
    figure.savefig(buffer, format='svg', metadata=metadata)
    return 'data:image/svg+xml;base64,' + base64.b64encode(buffer.getvalue().encode()).decode()
