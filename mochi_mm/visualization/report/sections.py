"""Charts of the report, one by one; scalars that nobody logged are left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from mochi_mm.runs.run import Run
from mochi_mm.visualization.report.bars import places
from mochi_mm.visualization.report.chart import Chart, Series
from mochi_mm.visualization.report.lines import ANALYSES, TRAINING, Lines

_MOST_EPOCHS = 6


Curve = Callable[[Run, str], tuple[list[float], list[float]]]


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
            charts.append(
                Chart(
                    f'Alignment and uniformity, {layer}',
                    paths,
                    '- uniformity (nats), further right: more even',
                    '- alignment of classes',
                    note='One dot an analysis, the large one is the latest. Up and right is '
                    'better.',
                    path=True,
                )
            )
    return charts


def probability_charts(runs: Sequence[Run]) -> list[Chart]:
    """Return the sorted matching probabilities: of the latest analyses, and of each run in time."""
    latest = []
    for number, run in enumerate(runs):
        for variant, key in (
            ('memory alone', 'probabilities'),
            ('and synthetic', 'probabilities_synthetic'),
        ):
            values = _latest(run, 'probabilities').get(key)
            if values is not None:
                latest.append(Series(number, _ranks(values), values.tolist(), variant))
    charts = []
    if latest:
        charts.append(_probabilities('Latest analysis of each run', latest))
    for number, run in enumerate(runs):
        curves = [
            (f'epoch {record["epoch"]}', arrays['probabilities'])
            for record, arrays in run.analyses
            if 'probabilities' in arrays
        ]
        if curves:
            some = np.unique(np.linspace(0, len(curves) - 1, _MOST_EPOCHS).round().astype(int))
            chosen = [curves[i] for i in some]
            series = [Series(number, _ranks(v), v.tolist(), name) for name, v in chosen]
            charts.append(_probabilities(run.name, series, number))
    return charts


def _probabilities(title: str, series: Sequence[Series], only: int | None = None) -> Chart:
    x_label, y_label = 'rank among the hardest negatives', 'mean matching probability (%)'
    faded = only is not None
    return Chart(title, series, x_label, y_label, 100, log='xy', faded=faded, only=only)


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
            y_label = 'of the sum of singular values (%)'
            charts.append(Chart(f'Spectrum, {layer}', series, 'rank', y_label, log='y'))
    return charts


def _charts(
    kinds: Sequence[Lines], runs: Sequence[Run], by_epoch: bool, curve: Curve
) -> list[Chart]:
    charts = []
    x_label = 'epochs' if by_epoch else 'iterations'
    for kind in kinds:
        series = []
        for number, run in enumerate(runs):
            for variant, key in kind.keys.items():
                x, y = curve(run, key)
                if x:
                    series.append(Series(number, x, y, variant))
        if series:
            when = places(series, [run.name for run in runs], x_label)
            note = f'{kind.note} {when}'.strip()
            charts.append(Chart(kind.title, series, x_label, kind.y_label, kind.factor, note=note))
    return charts


def _ranks(values: np.ndarray) -> list[int]:
    return list(range(1, len(values) + 1))


def _latest(run: Run, key: str) -> dict[str, np.ndarray]:
    """Return the arrays of the latest analysis that has ``key``."""
    found = [arrays for _, arrays in run.analyses if key in arrays]
    return found[-1] if found else {}
