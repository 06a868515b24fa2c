"""What the figures of a sweep say about the claims of the MoCHi paper, sentence by sentence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mochi_mm.experiments.figures import (
    FIGURES,
    Figure,
    Values,
    half_interval,
    mean_and_spread,
)
from mochi_mm.experiments.suites import Setting

AGREES, AGAINST = 'agrees', 'does not agree'
LIKE, UNLIKE = 'undecided, the sign agrees', 'undecided, the sign does not agree'
SAME = 'undecided, no difference'
UNKNOWN = 'not measured'


@dataclass(frozen=True)
class Claim:
    """A claim about how a setting differs from the one it is compared with.

    Attributes:
        role: Of the settings that it is about.
        key: The figure.
        sign: +1 where it is to be higher, -1 where lower.
        words: The claim.
        source: How the claim is known; the paper's text was not at hand.
    """

    role: str
    key: str
    sign: int
    words: str
    source: str


_SECOND_HAND = 'read in a text about the paper'
_RECALLED = 'recalled'
#: Lower uniformity is more even, higher alignment is less tight, as docs/analysis.md defines them.
CLAIMS = (
    Claim('mixing', 'uniformity/backbone', -1, 'mixing spreads features more evenly', _SECOND_HAND),
    Claim('mixing', 'uniformity/neck', -1, 'mixing spreads embeddings more evenly', _SECOND_HAND),
    Claim('mixing', 'alignment/class/backbone', 1, 'mixing loosens the classes', _SECOND_HAND),
    Claim('mixing', 'fast_linear/top1', 1, 'mixing gains in linear accuracy', _SECOND_HAND),
    Claim(
        'mixing', 'false_negatives/hardest', -1, 'mixing leaves fewer false negatives', _RECALLED
    ),
    Claim('oracle', 'fast_linear/top1', 1, 'the oracle gains in linear accuracy', _RECALLED),
    Claim('oracle', 'knn/top1_k20', 1, 'the oracle gains (by kNN, which is ours)', _RECALLED),
    Claim(
        'oracle', 'false_negatives/hardest', 1, 'the oracle lets false negatives rise', _RECALLED
    ),
)
_SYNTHETIC = 'synthetic negatives lower the accuracy on the contrastive task'


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
        source: Where it is known from.
        who: What is compared, with what.
        figure: What was measured.
        pairs: The two values by seed.
        sign: What is claimed of the first minus the second.
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


def findings(settings: Sequence[Setting], values: Values) -> list[str]:
    """Return a sentence for every claim and every setting that it is about."""
    titles = {setting.name: setting.title for setting in settings}
    found = []
    for claim in CLAIMS:
        for setting in (s for s in settings if s.role == claim.role and s.against in titles):
            pairs = paired(values, setting.name, setting.against, claim.key, claim.key)
            who = (setting.title, titles[setting.against])
            figure = FIGURES[claim.key]
            found.append(sentence(claim.words, claim.source, who, figure, pairs, claim.sign))
    return [*found, *_synthetic(settings, values)]


def _synthetic(settings: Sequence[Setting], values: Values) -> Iterator[str]:
    """Compare the contrastive accuracy with and without synthetic negatives, within a run.

    It cannot rise, since more negatives are counted; what is open is whether it falls, and how far.
    """
    figure = FIGURES['acc_contrast_synthetic']
    for setting in (s for s in settings if s.role == 'mixing'):
        keys = ('acc_contrast_synthetic', 'acc_contrast')
        pairs = paired(values, setting.name, setting.name, *keys)
        who = (setting.title, 'without them')
        yield sentence(_SYNTHETIC, _RECALLED, who, figure, pairs, -1)


def paired(
    values: Values, first: str, second: str, key: str, other: str
) -> dict[int, tuple[float, float]]:
    """Return the values of two settings for each seed that both have, by seed."""
    ours, theirs = values.get(first, {}), values.get(second, {})
    return {
        seed: (ours[seed][key], theirs[seed][other])
        for seed in sorted(ours)
        if seed in theirs and key in ours[seed] and other in theirs[seed]
    }
