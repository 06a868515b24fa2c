"""Stage 2 of the evidence plan: MoCo-v2 against the chosen MoCHi, eight fresh paired seeds.

21 epochs over 35,000 images, 733,824 pairs a run; test images are touched once, at the end.
"""

from __future__ import annotations

from pathlib import Path

from mochi_mm.evaluation.measures import rank_bins
from mochi_mm.experiments import evidence_plan as plan
from mochi_mm.experiments.evidence import CLAIMS, FEATURES, PANELS
from mochi_mm.experiments.figures import Figure, Values
from mochi_mm.experiments.measures import (
    KNN,
    Analysis,
    FastLinear,
    FewShot,
    LinearTransfer,
    Logged,
)
from mochi_mm.experiments.reaching import reaching
from mochi_mm.experiments.setting import Setting
from mochi_mm.experiments.suite import Suite

EPOCHS, LOOKS = 21, 7
_MIXING = plan.MIXINGS[plan.CHOSEN_MIXING]
SETTINGS = (
    Setting('mocov2', 'MoCo-v2', plan.CONFIG, plan.DATA, role='baseline'),
    Setting(
        plan.CHOSEN_MIXING,
        _MIXING.words(),
        plan.CONFIG,
        plan.DATA,
        _MIXING.options(),
        'mixing',
        'mocov2',
    ),
)
_TRANSFER = 'linear top-1 on CIFAR-10'
_FEW = 'linear top-1 of ten images of each class'
FIGURES = (
    plan.LINEAR_TEST,
    plan.KNN_TEST,
    Figure('transfer/cifar10', f'{_TRANSFER} (%)', _TRANSFER, digits=2),
    Figure('few_shot/top1_n10', f'{_FEW} (%)', _FEW, digits=2),
    plan.KNN_TOP1,
    *FEATURES,
    plan.DOSE,
)
#: What the microscope shows over time, and at the end by the rank of the hard negatives.
_WATCHED = (
    'knn/top1',
    'share_synthetic',
    'acc_contrast',
    'acc_contrast_synthetic',
    'false_negatives/hardest',
    'uniformity/backbone',
    'alignment/class/backbone',
)
_RANKS = (
    *(f'false_negatives/rank_{name}' for name in rank_bins(256)),
    *(f'share_synthetic_rank_{name}' for name in rank_bins(_MIXING.skip + _MIXING.hard)),
)
_LOOKED = tuple(
    f'{key} at epoch {epoch}'
    for key in (*_WATCHED, *_RANKS)
    for epoch in range(EPOCHS // LOOKS, EPOCHS + 1, EPOCHS // LOOKS)
)


def _reached(out: Path, by_data: dict[str, Values]) -> list[str]:
    mocov2, mochi = SETTINGS
    return [reaching(by_data.get(plan.DATA, {}), mochi, mocov2, 'knn/top1')]


SUITE = Suite(
    title='Evidence plan, stage 2: MoCo-v2 and MoCHi',
    epochs=EPOCHS,
    images=plan.IMAGES,
    settings=SETTINGS,
    options=plan.regime_options(),
    seeds=plan.FRESH_SEEDS,
    measures=(
        KNN(),
        KNN(plan.FINAL, 'test', watch=False),
        FastLinear(plan.FINAL, 'test', plan.PENALTIES),
        LinearTransfer('cifar10', plan.PENALTIES),
        FewShot(queries=plan.FINAL, penalties=plan.PENALTIES),
        Logged('knn/top1'),
        Analysis(course=True),
    ),
    looks=LOOKS,
    shares=False,
    figures=FIGURES,
    compared=tuple(figure.key for figure in FIGURES[:4]),
    claims=plan.claims(CLAIMS),
    more=_reached,
    panels=PANELS,
    records=plan.records('stage2', FIGURES, *_LOOKED),
    record_seeds=8,
)
