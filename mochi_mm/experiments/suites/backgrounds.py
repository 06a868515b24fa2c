"""What a network takes from the background: SimCLR and ReLICv2, with and without masks; for a CPU.

Generated scenes whose background goes with the class in 80 of 100 training images. The same scenes
with own and with exchanged backgrounds are classified by kNN; the gap is what was learned.
"""

from __future__ import annotations

from typing import Any

from mochi_mm.experiments.cpu_options import BFLOAT16
from mochi_mm.experiments.figures import TRAINING, Figure
from mochi_mm.experiments.findings import Claim
from mochi_mm.experiments.measures import KNN
from mochi_mm.experiments.setting import UNTRAINED, Setting
from mochi_mm.experiments.suite import RecordPlan, Suite

_NETWORK = 'resnet10w025_1xb256-cosine-6e_background-shapes-cpu'
_SIMCLR = f'configs/simclr/simclr_{_NETWORK}.py'
_RELIC = f'configs/relicv2/relicv2_{_NETWORK}.py'
_CROPS = [
    dict(type='RandomResizedCrop', size=32, scale=(0.3, 1.0)),
    dict(type='RandomFlip', prob=0.5),
]
_PLAIN: dict[str, Any] = dict(view_pipeline=_CROPS)
_MASKED: dict[str, Any] = dict(view_pipeline=[dict(type='SaliencyMask', prob=0.5), *_CROPS])

_SETTINGS = (
    Setting('untrained', 'the untrained network', _SIMCLR, options=_PLAIN, role=UNTRAINED),
    Setting('simclr', 'SimCLR', _SIMCLR, options=_PLAIN, role='baseline'),
    Setting(
        'simclr-masks', 'SimCLR, masks', _SIMCLR, options=_MASKED, role='masks', against='simclr'
    ),
    Setting(
        'relicv2', 'ReLICv2, no masks', _RELIC, options=_PLAIN, role='invariance', against='simclr'
    ),
    Setting('relicv2-masks', 'ReLICv2', _RELIC, options=_MASKED, role='masks', against='relicv2'),
)
_OWN = Figure('knn/top1_k20 own', 'own backgrounds', 'kNN, own backgrounds')
_OTHER = Figure('knn/top1_k20 exchanged', 'exchanged backgrounds', 'kNN, exchanged backgrounds')

SUITE = Suite(
    title='Backgrounds of generated scenes',
    epochs=15,
    options=BFLOAT16,
    settings=_SETTINGS,
    measures=(
        KNN(suffix='own', watch=False),
        KNN('exchanged_dataloader', suffix='exchanged', watch=False),
    ),
    figures=(
        _OWN,
        _OTHER,
        Figure(_OWN.key, 'gap', 'gap between own and exchanged', less=_OTHER.key),
        Figure(TRAINING, 'CPU seconds', 'CPU seconds', digits=0, unit='s'),
    ),
    compared=(_OTHER.key, _OWN.key),
    claims=(
        Claim('masks', _OTHER.key, +1, 'masks gain on exchanged backgrounds', 'Tomasev et al.'),
        Claim('invariance', _OTHER.key, +1, 'ReLICv2 gains without masks', 'Tomasev et al.'),
    ),
    records=(
        RecordPlan(
            'backgrounds-{setting}.json',
            'weighted kNN, k=20, temperature 0.07, own and exchanged backgrounds',
            (_OWN.key, _OTHER.key),
        ),
    ),
    notes="""
kNN top-1 (k = 20) in percent; the images trained on vote. Mean ± sample standard deviation over
seeds. Own: backgrounds as in training, four of five agree with the class; exchanged: the same
scenes, each on the background of another class.
Encoders are trained in bfloat16.
""",
)
