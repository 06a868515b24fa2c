"""The figures of a sweep: what they are called, their mean and their spread."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mochi_mm.experiments.suites import Setting

#: Values by setting, seed and name.
Values = dict[str, dict[int, dict[str, float]]]


@dataclass(frozen=True)
class Figure:
    """How a value is shown.

    Attributes:
        key: Its name in results.
        title: In tables, with the unit.
        words: In sentences.
        factor: What it is multiplied with when shown; 100 turns a share into percent.
        digits: Behind the point.
        unit: Of a difference.
    """

    key: str
    title: str
    words: str
    factor: float = 1.0
    digits: int = 1
    unit: str = 'points'

    def text(self, value: float, signed: bool = False) -> str:
        """Return a value as it is shown."""
        return f'{value * self.factor:{"+" if signed else ""}.{self.digits}f}'


FIGURES = {
    figure.key: figure
    for figure in (
        Figure('knn/top1_k20', 'kNN top-1 (%)', 'kNN top-1'),
        Figure('fast_linear/top1', 'linear top-1 (%)', 'linear top-1'),
        Figure('alignment/class/backbone', 'alignment', 'alignment of classes', digits=3, unit=''),
        Figure('uniformity/backbone', 'uniformity', 'uniformity', digits=3, unit=''),
        Figure(
            'uniformity/neck',
            'uniformity of embeddings',
            'uniformity of the embeddings',
            digits=3,
            unit='',
        ),
        Figure('acc_contrast', 'contrastive accuracy (%)', 'contrastive accuracy', 100.0),
        Figure(
            'acc_contrast_synthetic',
            'with synthetic negatives (%)',
            'contrastive accuracy with synthetic negatives',
            100.0,
        ),
        Figure(
            'false_negatives/hardest',
            'false among the hardest (%)',
            'share of false negatives among the hardest',
            100.0,
        ),
    )
}


def mean_and_spread(values: Iterable[float]) -> tuple[float, float]:
    """Return the mean and the sample standard deviation (n - 1); NaN where there is none."""
    found = list(values)
    if not found:
        return math.nan, math.nan
    mean = math.fsum(found) / len(found)
    if len(found) == 1:
        return mean, math.nan
    return mean, math.sqrt(math.fsum((v - mean) ** 2 for v in found) / (len(found) - 1))


def half_interval(spread: float, count: int) -> float:
    """Return half the width of the 95 % interval of a mean of ``count`` values (Student's t)."""
    if count < 2:
        return math.nan
    from scipy.stats import t

    return float(t.ppf(0.975, count - 1)) * spread / math.sqrt(count)


def values_of(results: Iterable[dict[str, Any]]) -> Values:
    """Return the values of finished runs by setting and seed."""
    values: Values = {}
    for result in results:
        values.setdefault(result['setting'], {})[result['seed']] = result['values']
    return values


def cell(figure: Figure, seeds: dict[int, dict[str, float]]) -> str:
    """Return mean and spread over the seeds that have the value."""
    found = [values[figure.key] for values in seeds.values() if figure.key in values]
    if not found:
        return '-'
    mean, spread = mean_and_spread(found)
    shown = 'n/a' if math.isnan(spread) else figure.text(spread)
    return f'{figure.text(mean)} ± {shown}'


def table(settings: Sequence[Setting], values: Values, seeds: Sequence[int]) -> str:
    """Return a Markdown table, one row a setting; seeds that are not there are named.

    Args:
        settings: The rows.
        values: What is finished.
        seeds: What was asked for.
    """
    heads = ['setting', 'seeds', *(figure.title for figure in FIGURES.values())]
    rows = [heads, ['---'] * len(heads)]
    for setting in settings:
        found = values.get(setting.name, {})
        missing = [str(seed) for seed in seeds if seed not in found]
        count = f'{len(seeds) - len(missing)} of {len(seeds)}'
        if missing:
            count += f', **missing: {", ".join(missing)}**'
        rows.append([setting.title, count, *(cell(f, found) for f in FIGURES.values())])
    return '\n'.join(f'| {" | ".join(row)} |' for row in rows) + '\n'
