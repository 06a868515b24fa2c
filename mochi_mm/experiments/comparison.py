"""Two settings side by side: the difference of each seed, its mean and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mochi_mm.experiments.figures import (
    Figure,
    Values,
    half_interval,
    markdown,
    mean_and_spread,
    paired,
)
from mochi_mm.experiments.setting import Setting

HIGHER, LOWER, NOTHING = 'higher', 'lower', 'nothing shows'
UNKNOWN = 'not measured'


@dataclass(frozen=True)
class Comparison:
    """One figure of a setting less that of the one it is compared with.

    Attributes:
        setting: The one.
        other: Setting that it is compared with.
        figure: Figure that is compared.
        primary: Whether it is the figure that decides.
        differences: By seed, where both are finished.
    """

    setting: Setting
    other: Setting
    figure: Figure
    primary: bool
    differences: dict[int, float]

    @property
    def mean(self) -> float:
        """Return the mean difference; NaN where there is none."""
        return mean_and_spread(self.differences.values())[0]

    @property
    def half(self) -> float:
        """Return half the width of the mean's 95 % interval (Student's t); NaN for one seed."""
        spread = mean_and_spread(self.differences.values())[1]
        return half_interval(spread, len(self.differences))

    @property
    def verdict(self) -> str:
        """Return ``higher`` or ``lower`` if the interval leaves out 0, else ``nothing shows``."""
        if not self.differences:
            return UNKNOWN
        if math.isnan(self.half) or abs(self.mean) <= self.half or self.mean == 0:
            return NOTHING
        return HIGHER if self.mean > 0 else LOWER

    @property
    def interval(self) -> str:
        """Return the interval as it is shown."""
        if math.isnan(self.half):
            return 'none'
        low, high = (self._shown(self.mean + side * self.half) for side in (-1, 1))
        return f'{low} to {high}'

    def row(self) -> list[str]:
        """Return its cells of the table."""
        each = ', '.join(f'{seed}: {self._shown(d)}' for seed, d in self.differences.items())
        name = f'{self.figure.title} (primary)' if self.primary else self.figure.title
        mean = self._shown(self.mean) if self.differences else '-'
        who = [self.setting.title, self.other.title]
        return [*who, name, each or '-', mean, self.interval, self.verdict]

    def sentence(self) -> str:
        """Return a sentence on the difference, plainly where the figures show none."""
        start = f'**{self.verdict}**: {self.figure.words} of {self.setting.title}'
        if not self.differences:
            return f'{start}: no seed of both it and {self.other.title} is finished.'
        unit = f' {self.figure.unit}' if self.figure.unit else ''
        found = f'{start} less that of {self.other.title} is {self._shown(self.mean)}{unit}'
        if math.isnan(self.half):
            return f'{found} with one seed, which decides nothing.'
        zero = 'with' if self.verdict == NOTHING else 'without'
        return (
            f'{found}, 95 % interval {self.interval}, {zero} zero, '
            f'over {len(self.differences)} seeds.'
        )

    def _shown(self, difference: float) -> str:
        return self.figure.text(difference, signed=True)


def comparisons(
    figures: Sequence[Figure], settings: Sequence[Setting], values: Values
) -> list[Comparison]:
    """Return every comparison of settings that have a partner.

    Args:
        figures: Figures that are compared; the first is the primary one.
        settings: The settings, also those that are compared with.
        values: Values of the finished runs.
    """
    by_name = {setting.name: setting for setting in settings}
    found = []
    for setting in (s for s in settings if s.against in by_name):
        for figure in figures:
            pairs = paired(values, setting.name, setting.against, figure, figure)
            differences = {seed: first - second for seed, (first, second) in pairs.items()}
            other, primary = by_name[setting.against], figure is figures[0]
            found.append(Comparison(setting, other, figure, primary, differences))
    return found


def comparison_table(found: Sequence[Comparison]) -> str:
    """Return all of them as a Markdown table."""
    head = ['setting', 'against', 'figure', 'difference by seed', 'mean', '95 % interval', '']
    return markdown([head, *(comparison.row() for comparison in found)])
