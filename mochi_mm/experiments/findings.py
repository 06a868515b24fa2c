"""Verdicts on claims from the figures of a sweep, sentence by sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mochi_mm.experiments.figures import Figure, Values, half_interval, mean_and_spread, paired
from mochi_mm.experiments.setting import Setting

AGREES, AGAINST = 'agrees', 'does not agree'
LIKE, UNLIKE = 'undecided, the sign agrees', 'undecided, the sign does not agree'
SAME = 'undecided, no difference'
UNKNOWN = 'not measured'


@dataclass(frozen=True)
class Claim:
    """A claim about how a setting differs from the one it is compared with.

    Attributes:
        role: Role of the settings that it is about.
        key: The figure.
        sign: +1 where it is to be higher, -1 where lower.
        words: The claim.
        source: Source of the claim.
        than: Another value of the same runs that the figure is compared with, instead of the same
            figure of the other setting.
        than_words: Name of that value, in words.
    """

    role: str
    key: str
    sign: int
    words: str
    source: str
    than: str = ''
    than_words: str = ''


def verdict(differences: Sequence[float], sign: int) -> str:
    """Judge paired differences against the sign that is claimed.

    It is decided where the 95 % interval of their mean (Student's t) excludes zero.

    Args:
        differences: One for each seed.
        sign: +1 or -1.
    """
    if not differences:
        return UNKNOWN
    mean, spread = mean_and_spread(differences)
    half = half_interval(spread, len(differences))
    if mean == 0:
        return SAME
    if not math.isnan(half) and abs(mean) > half:
        return AGREES if mean * sign > 0 else AGAINST
    return LIKE if mean * sign > 0 else UNLIKE


def sentence(
    words: str, source: str, who: tuple[str, str], figure: Figure, pairs: dict, sign: int
) -> str:
    """Return one finding.

    Args:
        words: The claim.
        source: Source of the claim.
        who: Names of the two settings that are compared.
        figure: Figure that was measured.
        pairs: The two values by seed.
        sign: Claimed sign of the first minus the second.
    """
    differences = [first - second for first, second in pairs.values()]
    judged = verdict(differences, sign)
    start = f'**{judged}**: {words} ({source}). {who[0]}'
    if not differences:
        return f'{start}: no seed of both {who[0]} and {who[1]} is finished.'
    first, second = (mean_and_spread(column)[0] for column in zip(*pairs.values(), strict=True))
    mean, spread = mean_and_spread(differences)
    half = half_interval(spread, len(differences))
    right = sum(d * sign > 0 for d in differences)
    unit = f' {figure.unit}' if figure.unit else ''
    text = (
        f'{start}: {figure.words} {figure.text(first)}, {who[1]} {figure.text(second)}; difference '
        f'{figure.text(mean, signed=True)}{unit}'
    )
    if math.isnan(half):
        return f'{text}, one seed, so no spread.'
    return (
        f'{text}, spread {figure.text(spread)}, 95 % interval '
        f'{figure.text(mean - half, signed=True)} to {figure.text(mean + half, signed=True)}, '
        f'{"higher" if sign > 0 else "lower"} in {right} of {len(differences)} seeds.'
    )


def findings(
    claims: Sequence[Claim],
    figures: Sequence[Figure],
    settings: Sequence[Setting],
    values: Values,
) -> list[str]:
    """Return a sentence for every claim and every setting that it is about.

    Args:
        claims: The claims.
        figures: Figures that the claims speak of, and others.
        settings: The settings, also those that are compared with.
        values: Values of the finished runs.
    """
    titles = {setting.name: setting.title for setting in settings}
    by_key = {figure.key: figure for figure in figures}
    found = []
    for claim in claims:
        for setting in (s for s in settings if s.role == claim.role):
            other = setting.name if claim.than else setting.against
            if other not in titles:
                continue
            figure = by_key[claim.key]
            second = replace(figure, key=claim.than) if claim.than else figure
            pairs = paired(values, setting.name, other, figure, second)
            who = (setting.title, claim.than_words or titles[other])
            found.append(sentence(claim.words, claim.source, who, figure, pairs, claim.sign))
    return found
