"""Comparison of what two objectives lose when something is made harder, seed by seed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mochi_mm.experiments.figures import Figure, Values, half_interval, mean_and_spread, paired

NOTHING = 'nothing shows'
Named = tuple[str, str]


def kept_accuracy(
    values: Values,
    first: Named,
    second: Named,
    usual: Named,
    harder: Sequence[Named],
    figure: Figure,
) -> list[str]:
    """Return a sentence for each harder level: what either loses, and whether one loses less.

    Settings are called ``<objective>-<level>``. It is decided where the 95 % interval (Student's t)
    of the mean difference between the two losses, seed by seed, leaves out zero.

    Args:
        values: Values of the finished runs of one data set.
        first: Name and title of the objective that is expected to lose less.
        second: Name and title of the other.
        usual: Name and title of the level that losses are counted from.
        harder: Names and titles of the harder levels.
        figure: Figure that falls.
    """
    return [_sentence(values, first, second, usual, level, figure) for level in harder]


def _sentence(
    values: Values, first: Named, second: Named, usual: Named, level: Named, figure: Figure
) -> str:
    change = {
        name: {
            seed: after - before
            for seed, (after, before) in paired(
                values, f'{name}-{level[0]}', f'{name}-{usual[0]}', figure, figure
            ).items()
        }
        for name, _ in (first, second)
    }
    ours, theirs = change[first[0]], change[second[0]]
    seeds = [seed for seed in ours if seed in theirs]
    where = f'from {usual[1]} to {level[1]}'
    if not seeds:
        return f'**not measured**: no seed of {first[1]} and {second[1]} is finished {where}.'
    mean, spread = mean_and_spread(ours[seed] - theirs[seed] for seed in seeds)
    half = half_interval(spread, len(seeds))
    each = [mean_and_spread(part[seed] for seed in seeds)[0] for part in (ours, theirs)]
    text = (
        f'{where} the {figure.words} of {first[1]} changes by {figure.text(each[0], signed=True)} '
        f'{figure.unit}, that of {second[1]} by {figure.text(each[1], signed=True)}; difference '
        f'{figure.text(mean, signed=True)}'
    )
    if math.isnan(half):
        return f'**{NOTHING}**: {text}, one seed, which decides nothing.'
    decided = abs(mean) > half
    word = (f'{first[1]} keeps more' if mean > 0 else f'{first[1]} keeps less') if decided else ''
    low, high = (figure.text(mean + side * half, signed=True) for side in (-1, 1))
    zero = 'without' if decided else 'with'
    return (
        f'**{word or NOTHING}**: {text}, 95 % interval {low} to {high}, {zero} zero, over '
        f'{len(seeds)} seeds.'
    )
