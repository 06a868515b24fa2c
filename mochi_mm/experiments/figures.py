"""The figures of a sweep: what they are called, their mean and their spread."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mochi_mm.experiments.setting import Setting

#: Values by setting, seed and name.
Values = dict[str, dict[int, dict[str, float]]]
#: Ends the name of a value that was measured before the first step.
BEFORE = ' (untrained)'
#: CPU seconds of the training alone; a run that was interrupted has no such value.
TRAINING = 'training/cpu_seconds'


@dataclass(frozen=True)
class Figure:
    """Key, title, unit and digits of a value that is shown.

    Attributes:
        key: Name of the figure in results.
        title: Title in tables, with the unit.
        words: Name in sentences.
        factor: Factor on the value when it is shown; 100 turns a share into percent.
        digits: Number of digits behind the point.
        unit: Unit of a difference.
        less: Name of a value that is subtracted; the difference is shown with its sign.
    """

    key: str
    title: str
    words: str = ''
    factor: float = 1.0
    digits: int = 1
    unit: str = 'points'
    less: str = ''

    def of(self, values: Mapping[str, float]) -> float | None:
        """Return the figure of a run from its values, None where it has none."""
        names = [self.key, self.less] if self.less else [self.key]
        if any(name not in values for name in names):
            return None
        return values[self.key] - (values[self.less] if self.less else 0.0)

    def text(self, value: float, signed: bool = False) -> str:
        """Return a value as it is shown."""
        return f'{value * self.factor:{"+" if signed else ""}.{self.digits}f}'


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


def figures_of(figure: Figure, seeds: Mapping[int, Mapping[str, float]]) -> list[float]:
    """Return a figure of each run that has it, in the order of the runs."""
    found = (figure.of(values) for values in seeds.values())
    return [value for value in found if value is not None]


def paired(
    values: Values, first: str, second: str, figure: Figure, other: Figure
) -> dict[int, tuple[float, float]]:
    """Return the figures of two settings for each seed that both have, by seed.

    Args:
        values: Values of the finished runs.
        first: Name of the one setting.
        second: Name of the other setting.
        figure: Figure of the first setting.
        other: Figure of the second setting.
    """
    found = {}
    for seed, ours in sorted(values.get(first, {}).items()):
        one, two = figure.of(ours), other.of(values.get(second, {}).get(seed, {}))
        if one is not None and two is not None:
            found[seed] = (one, two)
    return found


def cell(figure: Figure, seeds: Mapping[int, Mapping[str, float]]) -> str:
    """Return mean and spread over the seeds that have the value; one value has no spread."""
    found = figures_of(figure, seeds)
    if not found:
        return '-'
    mean, spread = mean_and_spread(found)
    text = figure.text(mean, signed=bool(figure.less))
    return text if len(found) == 1 else f'{text} ± {figure.text(spread)}'


def table(
    settings: Sequence[Setting], figures: Sequence[Figure], values: Values, seeds: Sequence[int]
) -> str:
    """Return a Markdown table, one row per setting; seeds that are not there are named.

    Args:
        settings: The rows.
        figures: The columns.
        values: Values of the finished runs.
        seeds: Seeds that were asked for.
    """
    rows = [['setting', 'seeds', *(figure.title for figure in figures)]]
    for setting in settings:
        found = values.get(setting.name, {})
        missing = [str(seed) for seed in seeds if seed not in found]
        count = f'{len(seeds) - len(missing)} of {len(seeds)}'
        if missing:
            count += f', **missing: {", ".join(missing)}**'
        rows.append([setting.title, count, *(cell(figure, found) for figure in figures)])
    return markdown(rows)


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as a Markdown table, the first of them as its head."""
    lines = [rows[0], ['---'] * len(rows[0]), *rows[1:]]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines) + '\n'
