"""Curves of a sweep: the mean over seeds with its range, one line per setting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mochi_mm.files.atomic_file import write_atomically
from mochi_mm.runs.run import Run
from mochi_mm.visualization.legend import plain_legend
from mochi_mm.visualization.run_colors import color_of


@dataclass(frozen=True)
class Panel:
    """One picture of a course over the epochs.

    Attributes:
        kind: ``log`` for what was logged, ``analysis`` for what analyses found.
        key: Name of the scalar there.
        label: At the axis.
        factor: Factor on the values; 100 turns a share into percent.
    """

    kind: str
    key: str
    label: str
    factor: float = 1.0


def draw_curves(
    path: str | Path, runs: Mapping[str, Sequence[Run]], title: str, panels: Sequence[Panel]
) -> None:
    """Draw learning curves and analyses over epochs; bands go from the lowest to the highest seed.

    Args:
        path: The PNG to write.
        runs: The runs of each setting, by its title.
        title: Title of the picture.
        panels: Panels that are drawn, four in a row.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(4, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(3.25 * columns, 3.3 * rows), layout='constrained')
    FigureCanvasAgg(figure)
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    handles: dict[str, Any] = {}
    for axis, panel in zip(axes, panels, strict=False):
        for number, (name, of_setting) in enumerate(runs.items()):
            x, low, mean, high = _over_seeds(_curves(of_setting, panel), panel.factor)
            if not len(x):
                continue
            color = color_of(number)
            few = len(x) <= 12
            (handles[name],) = axis.plot(
                x, mean, color=color, linewidth=1.4, marker='o' if few else None, markersize=3
            )
            axis.fill_between(x, low, high, color=color, alpha=0.15, linewidth=0)
        axis.set_xlabel('epochs', fontsize=9)
        axis.set_ylabel(panel.label, fontsize=9)
        axis.tick_params(labelsize=8)
        axis.grid(alpha=0.25, linewidth=0.6)
    for axis in axes[len(panels) :]:
        axis.set_axis_off()
    figure.suptitle(title, fontsize=11, parse_math=False)
    for name, handle in handles.items():
        handle.set_label(name)
    plain_legend(figure, list(handles.values()), min(3, max(1, len(handles))), 9)
    write_atomically(path, lambda file: figure.savefig(file, format='png', dpi=110))


def _curves(runs: Sequence[Run], panel: Panel) -> list[tuple[list[float], list[float]]]:
    if panel.kind == 'log':
        return [run.log.curve(panel.key, True) for run in runs]
    return [run.analyzed(panel.key, True) for run in runs]


def _over_seeds(
    curves: Sequence[tuple[Sequence[float], Sequence[float]]], factor: float
) -> tuple[np.ndarray, ...]:
    """Return places, lowest, mean and highest value of several curves, where all of them are."""
    at: dict[float, list[float]] = defaultdict(list)
    for x, y in curves:
        for place, value in zip(x, y, strict=True):
            at[round(place, 6)].append(value * factor)
    places = [place for place in sorted(at) if len(at[place]) == len(curves)]
    rows = np.array([[min(at[p]), np.mean(at[p]), max(at[p])] for p in places]).reshape(-1, 3)
    return np.array(places), *rows.T
