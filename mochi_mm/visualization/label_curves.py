"""Accuracy against the number of labels, one line for each kind of weights."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np


def draw_label_curves(
    curves: Mapping[str, Mapping[str, Sequence[float]]], positions: Mapping[str, float], title: str
) -> bytes:
    """Return a PNG: the mean over subsets, with bars from the lowest to the highest.

    Args:
        curves: Accuracies in percent by name of the line and number of labels.
        positions: Labels of a class for each number, where ``all`` is drawn too.
        title: Title of the picture.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullLocator

    figure = Figure(figsize=(6.4, 4.2), layout='constrained')
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    for number, (name, values) in enumerate(curves.items()):
        x = np.array([positions[labels] for labels in values]) * 1.02 ** (number - 1)
        mean = np.array([np.mean(found) for found in values.values()])
        low = mean - [min(found) for found in values.values()]
        high = [max(found) for found in values.values()] - mean
        line = axis.errorbar(x, mean, np.stack([low, high]), marker='o', markersize=4, capsize=3)
        line.set_label(name)
    axis.set_xscale('log')
    axis.set_xticks(list(positions.values()), list(positions))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xlabel('labels of each class')
    axis.set_ylabel('top-1 (%)')
    axis.set_title(title).set_parse_math(False)
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format='png', dpi=130, metadata={'Software': None})
    return buffer.getvalue()
