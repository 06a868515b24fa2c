"""Share of the gap between two settings that others close."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mochi_mm.experiments.figures import Figure, Values, half_interval, mean_and_spread, paired

#: Name and title of a setting.
Named = tuple[str, str]


def gap_closed(
    values: Values, lower: Named, upper: Named, others: Sequence[Named], figure: Figure
) -> list[str]:
    """Return a sentence on the gap in a figure, and one for each setting: what it closes of it.

    The gain over ``lower``, seed by seed, over the mean gap. Where the 95 % interval (Student's t)
    of the gap does not lie above zero there is no gap to close, and that is said.

    Args:
        values: Values of the finished runs of one data set.
        lower: The setting below the gap.
        upper: The setting above it.
        others: Settings between, as is claimed.
        figure: The figure.
    """
    gaps = _differences(values, upper[0], lower[0], figure)
    if not gaps:
        return [f'{figure.words}: the gap of {lower[1]} to {upper[1]} is not measured.']
    gap, spread = mean_and_spread(gaps)
    half = half_interval(spread, len(gaps))
    about = f'{figure.text(gap, True)} ± {figure.text(half)} {figure.unit}, {len(gaps)} seeds'
    head = f'{figure.words}: {upper[1]} over {lower[1]} {about}'
    if math.isnan(half) or gap <= half:
        return [f'{head}; no gap shows, so none can be closed.']
    lines = [f'{head}.']
    for name, title in others:
        gains = _differences(values, name, lower[0], figure)
        if not gains:
            lines.append(f'{figure.words}: {title} is not measured.')
            continue
        mean, spread = mean_and_spread(gains)
        half = half_interval(spread, len(gains))
        lines.append(
            f'{figure.words}: {title} closes {100 * mean / gap:.0f} % of it '
            f'(± {100 * half / gap:.0f}, 95 % of the gain, {len(gains)} seeds).'
        )
    return lines


def _differences(values: Values, first: str, second: str, figure: Figure) -> list[float]:
    """Return ``first`` less ``second`` for each seed that both have."""
    return [one - two for one, two in paired(values, first, second, figure, figure).values()]
