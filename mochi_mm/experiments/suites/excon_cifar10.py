"""ExCon beside SupCon on CIFAR-10: accuracy, explanations, calibration; for a CPU.

A quarter-width ResNet-10, 6 epochs over 1,500 images of each class; views, budget and network are
one, and everything is measured in the fast linear probe behind the frozen network.
"""

from __future__ import annotations

from mochi_mm.experiments.cpu_options import SMALL_VIEW, small_views
from mochi_mm.experiments.figures import TRAINING, Figure
from mochi_mm.experiments.findings import Claim
from mochi_mm.experiments.images import Images
from mochi_mm.experiments.measures import Explained, Robust
from mochi_mm.experiments.setting import Setting
from mochi_mm.experiments.suite import RecordPlan, Suite

_NETWORK = 'resnet10w025_1xb256-cosine-6e_cifar10-cpu'


def _excon(name: str, title: str, config: str, **options: object) -> Setting:
    return Setting(
        name,
        title,
        f'configs/excon/{config}_{_NETWORK}.py',
        'cifar10',
        {'plain_pipeline.0.size': (SMALL_VIEW, SMALL_VIEW), **options},
        role='explained',
        against='supcon',
    )


_SETTINGS = (
    Setting('supcon', 'SupCon', f'configs/supcon/supcon_{_NETWORK}.py', 'cifar10', role='baseline'),
    _excon('excon', 'ExCon', 'excon'),
    _excon('excon-background', 'ExCon, background negatives', 'excon-background'),
    _excon(
        'excon-class',
        'ExCon, background as a class',
        'excon-background',
        **{'model.head.background': 'class'},
    ),
)


def _figure(name: str, title: str, digits: int = 1) -> Figure:
    return Figure(f'explained/{name}', f'{title} (%)', title, digits=digits)


_CLEAN = _figure('clean', 'accuracy')
_DROP, _RISE = _figure('average_drop', 'drop'), _figure('rate_of_increase', 'increase')
_ERROR = _figure('calibration_error', 'calibration error')
_ATTACKED = Figure('robustness/pgd20_linf_1', 'PGD-20 at 1/255 (%)', 'PGD-20 at 1/255')

SUITE = Suite(
    title='ExCon on CIFAR-10',
    epochs=6,
    options=small_views(fast=False),
    in_memory=True,
    images=Images(per_class=1500),
    settings=_SETTINGS,
    measures=(
        Explained('layer2.0.conv2'),
        Robust(epsilons=(1 / 255,), corruptions=(), own=False),
    ),
    figures=(
        _CLEAN,
        _DROP,
        _RISE,
        _ERROR,
        _ATTACKED,
        Figure(TRAINING, 'CPU seconds', 'CPU seconds', digits=0, unit='s'),
    ),
    compared=(_CLEAN.key, _DROP.key, _RISE.key, _ERROR.key, _ATTACKED.key),
    claims=tuple(
        Claim('explained', figure.key, sign, f'ExCon betters {title} of SupCon', 'its abstract')
        for figure, sign, title in (
            (_CLEAN, +1, 'the accuracy'),
            (_DROP, -1, 'the drop'),
            (_RISE, +1, 'the increase'),
            (_ERROR, -1, 'the calibration'),
            (_ATTACKED, +1, 'the robustness'),
        )
    ),
    records=(
        RecordPlan(
            'excon-{data}-{setting}.json',
            'Grad-CAM of the fast linear probe, 15 % of the pixels kept, 1,000 images',
            tuple(f.key for f in (_CLEAN, _DROP, _RISE, _ERROR, _ATTACKED)),
        ),
    ),
    notes="""
Mean ± sample standard deviation over seeds; 1,000 validation images, evenly spaced; the fast linear
probe fitted to frozen clean features. Drop: mean of max(0, y - o) / y, y and o the probability of
the predicted class before and after all but the hottest 15 % of the pixels are masked, the smaller
the better; increase: how often o > y.
Encoders are trained in bfloat16 on views of 24 pixels, and measured at 32.
""",
)
