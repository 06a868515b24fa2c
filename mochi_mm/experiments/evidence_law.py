"""The law of docs/evidence_plan.md: what mixing gains as the share of false negatives changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mochi_mm.experiments import evidence_plan as plan
from mochi_mm.experiments.comparison import comparisons
from mochi_mm.experiments.figures import Figure, Values, figures_of, mean_and_spread
from mochi_mm.experiments.setting import Setting
from mochi_mm.files.atomic_file import write_atomically

CONFIG = 'configs/mocov2/mocov2_resnet10w025_1xb128-cosine-6e_combined-shapes-cpu.py'
CLASSES = (5, 10, 20, 50, 100)
#: Of the hardest negatives of MoCo-v2, those of the query's class.
FALSE = Figure(
    'false_negatives/hardest', 'false among the hardest (%)', 'share of false negatives', 100.0
)


def settings(classes: int) -> list[Setting]:
    """Return MoCo-v2 and the chosen MoCHi, each with and without the oracle, in one world.

    Args:
        classes: Number of classes of the world.
    """
    mix = plan.MIXINGS[plan.CHOSEN_MIXING]
    oracle = {'model.head.oracle_loss': True}
    mocov2, mochi = f'mocov2-{classes}', f'mochi-{classes}'
    rows: tuple[tuple[str, str, dict[str, Any], str, str], ...] = (
        (mocov2, 'MoCo-v2', {}, 'baseline', ''),
        (mochi, mix.words(), mix.options(), 'mixing', mocov2),
        (f'{mocov2}-oracle', 'MoCo-v2 with the class oracle', oracle, 'oracle', mocov2),
        (
            f'{mochi}-oracle',
            f'{mix.words()} with the class oracle',
            {**mix.options(), **oracle, 'model.head.oracle_mix': True},
            'mixing',
            f'{mocov2}-oracle',
        ),
    )
    return [
        Setting(
            name,
            f'{title}, {classes} classes',
            CONFIG,
            '',
            {'num_classes': classes, **options},
            role,
            against,
        )
        for name, title, options, role, against in rows
    ]


@dataclass(frozen=True)
class Point:
    """One world in the figure.

    Attributes:
        classes: Number of its classes.
        false: Share of false negatives among the hardest of MoCo-v2, in percent.
        gain: Mean difference in linear accuracy of MoCHi less MoCo-v2, in points.
        half: Half its 95 % interval; NaN for one seed.
        seeds: Number of seeds.
    """

    classes: int
    false: float
    gain: float
    half: float
    seeds: int


def points(values: Values, oracle: bool = False) -> list[Point]:
    """Return the worlds of which anything is finished, few classes first.

    Args:
        values: Values of the finished runs.
        oracle: Compare the settings with the class oracle; ``false`` stays that of plain MoCo-v2.
    """
    found = []
    for classes in CLASSES:
        end = '-oracle' if oracle else ''
        name = f'mochi-{classes}{end}'
        (gain,) = (
            comparison
            for comparison in comparisons([plan.LINEAR], settings(classes), values)
            if comparison.setting.name == name
        )
        false = figures_of(FALSE, values.get(f'mocov2-{classes}', {}))
        if gain.differences and false:
            share = FALSE.factor * mean_and_spread(false)[0]
            found.append(Point(classes, share, gain.mean, gain.half, len(gain.differences)))
    return found


def paragraph(plain: Sequence[Point], oracle: Sequence[Point]) -> str:
    """Return what the figure shows, in a sentence for each world."""
    if not plain:
        return '**not measured**: the law.'
    with_oracle = {point.classes: point for point in oracle}
    parts = []
    for point in plain:
        part = f'{point.classes} classes, {point.false:.1f} % false: {_gain(point)}'
        if point.classes in with_oracle:
            part += f', with the oracle {_gain(with_oracle[point.classes])}'
        parts.append(part)
    return f'Gain of MoCHi over MoCo-v2 in linear accuracy, points: {"; ".join(parts)}.'


def _gain(point: Point) -> str:
    spread = '' if math.isnan(point.half) else f' ± {point.half:.2f}'
    return f'{point.gain:+.2f}{spread}'


def figure(out: Path, by_data: dict[str, Values]) -> list[str]:
    """Draw ``law.png`` in the folder of the sweep; return the paragraph.

    Args:
        out: The folder.
        by_data: Values of the finished runs.
    """
    values = by_data.get('generated', {})
    plain, oracle = points(values), points(values, oracle=True)
    if plain:
        both = {'MoCHi': plain, 'with the class oracle': oracle}
        draw(out / 'law.png', {title: line for title, line in both.items() if line})
    return [paragraph(plain, oracle)]


def draw(path: Path, lines: dict[str, Sequence[Point]]) -> None:
    """Draw gains with their intervals against shares of false negatives; write a PNG file."""
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(6, 4), layout='constrained')
    axes = canvas.subplots()
    for title, line in lines.items():
        x, y = [point.false for point in line], [point.gain for point in line]
        bars = [0.0 if math.isnan(point.half) else point.half for point in line]
        axes.errorbar(x, y, bars, marker='o', capsize=3, label=title)
        for point in line:
            axes.annotate(f' {point.classes}', (point.false, point.gain))
    axes.axhline(0, color='gray', linewidth=0.8)
    axes.set_xlabel('false among the hardest negatives of MoCo-v2 (%); numbers are classes')
    axes.set_ylabel('gain in linear top-1 (points)')
    axes.legend()
    write_atomically(path, lambda file: canvas.savefig(file, format='png', dpi=120))
