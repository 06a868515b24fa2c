"""Settings of the controls of docs/evidence_plan.md."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mochi_mm.experiments import evidence_plan as plan
from mochi_mm.experiments.comparison import comparisons
from mochi_mm.experiments.evidence import CLAIMS, FEATURES
from mochi_mm.experiments.evidence_plan import Mixing
from mochi_mm.experiments.figures import Values
from mochi_mm.experiments.measures import KNN, Analysis, FastLinear
from mochi_mm.experiments.setting import Setting

_ORACLE_LOSS = {'model.head.oracle_loss': True}
_ORACLE_BOTH = {**_ORACLE_LOSS, 'model.head.oracle_mix': True}
#: Points that the oracle could gain, below which better negatives have next to nothing to win.
LEAST_HEADROOM = 0.5
#: Synthetic negatives of SynCo's six kinds, in the proportions of its authors, of 15.
_SYNCO = dict(
    QueryMixing=4, Extrapolation=4, PairMixing=4, NoiseInjection=1, GradientStep=1, SignStep=1
)


def synco(mixing: Mixing) -> list[dict[str, Any]]:
    """Return the six mixers of SynCo, with about as many synthetic negatives in all."""
    each = mixing.total / sum(_SYNCO.values())
    return [dict(type=kind, num=round(part * each)) for kind, part in _SYNCO.items()]


def settings(data: str) -> list[Setting]:
    """Return MoCo-v2, the chosen MoCHi and their controls.

    Args:
        data: Folder of the data set.
    """
    name, mix = plan.CHOSEN_MIXING, plan.MIXINGS[plan.CHOSEN_MIXING]
    length = plan.REGIMES[plan.CHOSEN_REGIME].length + mix.total
    other_query = _other_query(mix)
    mochi = mix.options()
    rows: list[tuple[str, str, dict[str, Any], str, str]] = [
        ('mocov2', 'MoCo-v2', {}, 'baseline', ''),
        (name, mix.words(), mochi, 'mixing', 'mocov2'),
        *(
            (
                f'temperature-{value:g}',
                f'MoCo-v2, temperature {value:g}',
                {'model.head.temperature': value},
                'control',
                'mocov2',
            )
            for value in (0.15, 0.1)
        ),
        (
            'longer-queue',
            f'MoCo-v2, K {length}',
            {'model.head.memory.length': length},
            'control',
            'mocov2',
        ),
        (other_query[0], other_query[1].words(), other_query[1].options(), 'control', 'mocov2'),
        ('synco', 'SynCo', mix.options(synco(mix)), 'control', 'mocov2'),
        ('mocov2-oracle', 'MoCo-v2 with the class oracle', _ORACLE_LOSS, 'oracle', 'mocov2'),
        (
            'mochi-oracle',
            f'{mix.words()} with the class oracle',
            {**mochi, **_ORACLE_BOTH},
            'oracle',
            name,
        ),
    ]
    return [
        Setting(key, title, plan.CONFIG, data, options, role, against)
        for key, title, options, role, against in rows
    ]


def _other_query(mix: Mixing) -> tuple[str, Mixing]:
    """Return the control of query mixing: without it, or with it where the chosen one has none."""
    if mix.queries:
        return 'no-query-mixing', Mixing(mix.hard, mix.total, 0, mix.skip)
    queries = mix.total // 5
    return 'with-query-mixing', Mixing(mix.hard, mix.total - queries, queries, mix.skip)


def partners(out: Path, by_data: dict[str, Values]) -> list[str]:
    """Return sentences on MoCHi less each control, and on its oracle less that of MoCo-v2.

    Args:
        out: Folder of the sweep.
        by_data: Values of the finished runs.
    """
    return [line for data, values in by_data.items() for line in _partners(data, values)]


def _partners(data: str, values: Values) -> list[str]:
    by_name = {setting.name: setting for setting in settings(data)}
    mochi = by_name[plan.CHOSEN_MIXING]
    pairs = [(mochi, setting) for setting in by_name.values() if setting.role == 'control']
    pairs.append((by_name['mochi-oracle'], by_name['mocov2-oracle']))
    found = []
    for setting, other in pairs:
        if other.name not in values:
            continue
        pair = [replace(setting, against=other.name), replace(other, against='')]
        (compared,) = comparisons([plan.LINEAR_TEST], pair, values)
        found.append(compared.sentence())
    return found


def headroom(values: Values, settings: Sequence[Setting]) -> str:
    """Return what the oracle shows of head-room for better negatives, by the rule of the plan.

    Args:
        values: Values of the finished runs.
        settings: MoCo-v2 and its oracle.
    """
    (compared,) = comparisons([plan.LINEAR_TEST], settings, values)
    if math.isnan(compared.half):
        return 'head-room: fewer than two seeds are finished.'
    low, high = compared.mean - compared.half, compared.mean + compared.half
    about = f'the oracle gains {compared.mean:+.2f} points, 95 % interval {compared.interval}'
    if low > 0:
        return f'**there is head-room**: {about}.'
    if high < LEAST_HEADROOM:
        return (
            f'**there is next to no head-room**: {about}, below +{LEAST_HEADROOM:g}; no verdict on '
            'mixing is drawn.'
        )
    return (
        f'**head-room is not known**: {about}; the verdict of stage 2 stands by its own interval.'
    )


FIGURES = (plan.LINEAR_TEST, plan.KNN_TEST, *FEATURES, plan.DOSE)
#: What both suites of the controls have.
COMMON: dict[str, Any] = dict(
    epochs=6,
    options=plan.regime_options(),
    seeds=plan.CONTROL_SEEDS,
    measures=(
        KNN(plan.FINAL, 'test', watch=False),
        FastLinear(plan.FINAL, 'test', plan.PENALTIES),
        Analysis(dict(num_hard=256)),
    ),
    looks=1,
    shares=False,
    figures=FIGURES,
    more=partners,
    compared=(plan.LINEAR_TEST.key, plan.KNN_TEST.key),
    claims=plan.claims(CLAIMS),
)
