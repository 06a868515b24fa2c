"""Curves of a sweep: the mean over seeds with its range, one line a setting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mochi_mm.files.atomic_file import write_atomically
from mochi_mm.runs.run import Run
from mochi_mm.visualization.report.charts import colour_of

# Logged or analysed, its name, what stands at the axis, what it is multiplied with.
_PANELS = (
    ('log', 'knn/top1', 'kNN top-1 (%)', 1.0),
    ('log', 'loss', 'loss (nats)', 1.0),
    ('log', 'acc_contrast', 'contrastive accuracy in training (%)', 100.0),
    ('analysis', 'uniformity/backbone', 'uniformity (lower is more even)', 1.0),
    ('analysis', 'alignment/class/backbone', 'alignment of classes (lower is tighter)', 1.0),
    ('analysis', 'acc_contrast_synthetic', 'contrastive acc. with synthetic neg. (%)', 100.0),
    ('analysis', 'acc_contrast', 'contrastive acc. without synthetic neg. (%)', 100.0),
    ('analysis', 'false_negatives/hardest', 'false negatives among the hardest (%)', 100.0),
)


def draw_evidence(path: str | Path, runs: Mapping[str, Sequence[Run]], title: str) -> None:
    """Draw learning curves and analyses over epochs; bands go from the lowest to the highest seed.

    Args:
        path: The PNG to write.
        runs: The runs of each setting, by its title.
        title: Of the picture.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 6.6), layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 4).flat
    handles: dict[str, Any] = {}
    for axis, (kind, key, label, factor) in zip(axes, _PANELS, strict=True):
        for number, (name, of_setting) in enumerate(runs.items()):
            curves = [
                run.log.curve(key, True) if kind == 'log' else run.analysed(key, True)
                for run in of_setting
            ]
            x, low, mean, high = _over_seeds(curves, factor)
            if not len(x):
                continue
            colour = colour_of(number)
            few = len(x) <= 12
            (handles[name],) = axis.plot(
                x, mean, color=colour, linewidth=1.4, marker='o' if few else None, markersize=3
            )
            axis.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
        axis.set_xlabel('epochs', fontsize=9)
        axis.set_ylabel(label, fontsize=9)
        axis.tick_params(labelsize=8)
        axis.grid(alpha=0.25, linewidth=0.6)
    figure.suptitle(title, fontsize=11)
    figure.legend(
        handles.values(),
        handles,
        loc='outside lower center',
        ncols=min(3, max(1, len(handles))),
        frameon=False,
        fontsize=9,
    )
    write_atomically(path, lambda file: figure.savefig(file, format='png', dpi=110))


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
