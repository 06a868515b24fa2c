"""Settings of the controls of docs/evidence_plan.md."""

from __future__ import annotations

from typing import Any

from mochi_mm.experiments import evidence_plan as plan
from mochi_mm.experiments.evidence import CLAIMS, FEATURES
from mochi_mm.experiments.evidence_plan import Mixing
from mochi_mm.experiments.measures import KNN, Analysis, FastLinear
from mochi_mm.experiments.setting import Setting

_ORACLE_LOSS = {'model.head.oracle_loss': True}
_ORACLE_BOTH = {**_ORACLE_LOSS, 'model.head.oracle_mix': True}
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
    no_query = Mixing(mix.hard, mix.total, 0, mix.skip)
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
        ('no-query-mixing', no_query.words(), no_query.options(), 'control', 'mocov2'),
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
    compared=(plan.LINEAR_TEST.key, plan.KNN_TEST.key),
    claims=plan.claims(CLAIMS),
)
