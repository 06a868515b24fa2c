"""Charts of the report, one by one; scalars that nobody logged are left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from mochi_mm.runs.run import Run
from mochi_mm.visualization.report.bars import are_single, bar_chart, places
from mochi_mm.visualization.report.charts import (
    Series,
    line_chart,
    scatter_chart,
    sequence_chart,
)
from mochi_mm.visualization.report.lines import ANALYSES, TRAINING, Lines

_MOST_EPOCHS = 6


@dataclass(frozen=True)
class Chart:
    """A picture with its title.

    Attributes:
        title: Title of the chart.
        uri: The picture.
        note: Note on how to read it.
    """

    title: str
    uri: str
    note: str = ''


def training_charts(runs: Sequence[Run], by_epoch: bool) -> list[Chart]:
    """Return the curves of the logs."""
    return _charts(TRAINING, runs, by_epoch, lambda run, key: run.log.curve(key, by_epoch))


def analysis_charts(runs: Sequence[Run], by_epoch: bool) -> list[Chart]:
    """Return the numbers of the analyses over time, and the plane of the two losses."""
    charts = _charts(ANALYSES, runs, by_epoch, lambda run, key: run.analyzed(key, by_epoch))
    for layer in ('backbone', 'neck'):
        paths = []
        for number, run in enumerate(runs):
            _, even = run.analyzed(f'uniformity/{layer}', by_epoch)
            _, near = run.analyzed(f'alignment/class/{layer}', by_epoch)
            if even and len(even) == len(near):
                paths.append(Series(number, [-v for v in even], [-v for v in near]))
        if paths:
            labels = ('- uniformity (nats), further right: more even', '- alignment of classes')
            uri = scatter_chart(paths, [run.name for run in runs], labels)
            note = 'One dot an analysis, the large one is the latest. Up and right is better.'
            charts.append(Chart(f'Alignment and uniformity, {layer}', uri, note))
    return charts


def probability_charts(runs: Sequence[Run]) -> list[Chart]:
    """Return the sorted matching probabilities: of the latest analyses, and of each run in time."""
    names = [run.name for run in runs]
    latest = []
    for number, run in enumerate(runs):
        arrays = _latest(run, 'probabilities')
        for variant, key in (
            ('memory alone', 'probabilities'),
            ('and synthetic', 'probabilities_synthetic'),
        ):
            if key in arrays:
                values = arrays[key]
                latest.append(Series(number, _ranks(values), values.tolist(), variant))
    charts = []
    x_label, y_label = 'rank among the hardest negatives', 'mean matching probability'
    if latest:
        uri = line_chart(latest, names, x_label, y_label, log='xy')
        charts.append(Chart('Latest analysis of each run', uri))
    for run in runs:
        curves = [
            (f'epoch {record["epoch"]}', arrays['probabilities'])
            for record, arrays in run.analyses
            if 'probabilities' in arrays
        ]
        if curves:
            some = np.unique(np.linspace(0, len(curves) - 1, _MOST_EPOCHS).round().astype(int))
            chosen = [curves[i] for i in some]
            charts.append(Chart(run.name, sequence_chart(chosen, x_label, y_label, log='xy')))
    return charts


def spectrum_charts(runs: Sequence[Run]) -> list[Chart]:
    """Return the singular values of the features of the latest analyses."""
    charts = []
    for layer in ('backbone', 'neck'):
        series = []
        for number, run in enumerate(runs):
            values = _latest(run, f'singular_values_{layer}').get(f'singular_values_{layer}')
            if values is not None and values[0] > 0:
                share = 100 * values / values.sum()
                share = share[share > 1e-5]
                series.append(Series(number, _ranks(share), share.tolist()))
        if series:
            names = [run.name for run in runs]
            uri = line_chart(series, names, 'rank', 'of the sum of singular values (%)', log='y')
            charts.append(Chart(f'Spectrum, {layer}', uri))
    return charts


def summary(runs: Sequence[Run]) -> tuple[list[str], list[list[str]]]:
    """Return the heads and the rows of the table of latest values."""
    columns: list[tuple[str, Callable[[Run], float | None]]] = [
        ('epochs', lambda run: _defined(run.log.epochs())),
        ('starts', lambda run: float(run.starts)),
        ('loss (nats)', lambda run: run.log.last('loss')),
        ('kNN top-1 (%)', lambda run: run.log.last('knn/top1')),
        ('probe top-1 (%)', lambda run: run.log.last('accuracy/top1')),
    ]
    for title, key in (
        ('alignment of classes, backbone', 'alignment/class/backbone'),
        ('uniformity, backbone', 'uniformity/backbone'),
        ('effective rank, backbone', 'rank/backbone'),
        ('contrastive accuracy (%)', 'acc_contrast'),
        ('the same with synthetic (%)', 'acc_contrast_synthetic'),
        ('false among the hardest (%)', 'false_negatives/hardest'),
    ):
        factor = 100.0 if title.endswith('(%)') else 1.0
        columns.append((title, partial(_last_analyzed, key=key, factor=factor)))
    shown = [(title, [value(run) for run in runs]) for title, value in columns]
    shown = [(title, values) for title, values in shown if any(v is not None for v in values)]
    rows = [
        [runs[number].state] + [_cell(values[number]) for _, values in shown]
        for number in range(len(runs))
    ]
    return ['state', *(title for title, _ in shown)], rows


def _charts(
    kinds: Sequence[Lines], runs: Sequence[Run], by_epoch: bool, curve: Callable[..., Any]
) -> list[Chart]:
    charts = []
    for kind in kinds:
        series = []
        for number, run in enumerate(runs):
            for variant, key in kind.keys.items():
                x, y = curve(run, key)
                if x:
                    series.append(Series(number, x, y, variant))
        if series:
            x_label = 'epochs' if by_epoch else 'iterations'
            names = [run.name for run in runs]
            if are_single(series):
                uri = bar_chart(series, names, kind.y_label, kind.factor)
                note = f'{kind.note} {places(series, names, x_label)}'.strip()
            else:
                uri = line_chart(series, names, x_label, kind.y_label, y_scale=kind.factor)
                note = kind.note
            charts.append(Chart(kind.title, uri, note))
    return charts


def _ranks(values: np.ndarray) -> list[int]:
    return list(range(1, len(values) + 1))


def _latest(run: Run, key: str) -> dict[str, np.ndarray]:
    """Return the arrays of the latest analysis that has ``key``."""
    found = [arrays for _, arrays in run.analyses if key in arrays]
    return found[-1] if found else {}


def _last_analyzed(run: Run, key: str, factor: float) -> float | None:
    values = [r['scalars'][key] for r, _ in run.analyses if key in r['scalars']]
    return _defined(values[-1] * factor) if values else None


def _cell(value: float | None) -> str:
    """Return a number as text; one that was logged and is none, as of a run that diverged, too."""
    if value is None:
        return '-'
    return f'{value:.4g}' if np.isfinite(value) else 'not finite'


def _defined(value: float) -> float | None:
    return value if np.isfinite(value) else None
