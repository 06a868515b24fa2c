"""Tables of the report: latest values, how analyses were made, environment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mochi_mm.runs.run import Run


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
        [runs[number].ending.state] + [_cell(values[number]) for _, values in shown]
        for number in range(len(runs))
    ]
    return ['state', *(title for title, _ in shown)], rows


def analysis_table(runs: Sequence[Run]) -> list[tuple[str, list[str], bool]]:
    """Return the settings of the analyses: name, values of each run, and whether they differ.

    Measures are comparable between runs only where these are equal. A checkpoint that lies in
    another folder than the run is named.
    """
    found: list[dict[str, dict[str, None]]] = []
    for run in runs:
        values: dict[str, dict[str, None]] = {}
        for record, _ in run.analyses:
            facts = {**record.get('settings', {}), **record.get('counts', {})}
            checkpoint = Path(str(record.get('checkpoint', '')))
            if len(checkpoint.parts) > 1 and checkpoint.parent.name != run.work_dir.resolve().name:
                facts['checkpoint of another run'] = checkpoint
            for name, value in facts.items():
                values.setdefault(name, {})[str(value)] = None
        found.append(values)
    table = []
    for name in dict.fromkeys(name for values in found for name in values):
        row = [', '.join(values.get(name, {})) or '-' for values in found]
        here = {text for text, run in zip(row, runs, strict=True) if run.analyses}
        table.append((name, row, len(here) > 1 or name == 'checkpoint of another run'))
    return table


def environment_table(runs: Sequence[Run]) -> list[tuple[str, list[str], bool]]:
    """Return name, value of each run, and whether the values differ among runs that have any."""
    names = dict.fromkeys(name for run in runs for name in run.environment)
    table: list[tuple[str, list[Any], bool]] = []
    for name in names:
        values = [run.environment.get(name, '-') for run in runs]
        here = {value for value, run in zip(values, runs, strict=True) if run.environment}
        table.append((name, values, len(here) > 1))
    return table


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
