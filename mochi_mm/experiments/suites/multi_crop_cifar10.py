"""Two large and four small crops beside two large ones at equal time: SimCLR and MoCo-v2, CIFAR-10.

A quarter-width ResNet-10 over 1,500 images of each class. An epoch of six crops takes longer than
one of two; with two crops a run has so many more epochs that the CPU seconds are about the same.
"""

from __future__ import annotations

from mochi_mm.experiments.cpu_options import small_views
from mochi_mm.experiments.figures import TRAINING, Figure
from mochi_mm.experiments.findings import Claim
from mochi_mm.experiments.images import Images
from mochi_mm.experiments.measures import KNN, FastLinear
from mochi_mm.experiments.setting import UNTRAINED, Setting
from mochi_mm.experiments.suite import RecordPlan, Suite

_NETWORK = 'resnet10w025_1xb256-cosine-6e_cifar10-cpu'
_LINEAR, _KNN = 'fast_linear/top1', 'knn/top1_k20'
#: CPU seconds of an epoch of six crops over those of one of two.
_SIMCLR_LONGER, _MOCO_LONGER = 2.2, 3.8


def _pair(method: str, title: str, longer: float) -> tuple[Setting, Setting]:
    two, many = f'configs/{method}/{method}', f'configs/multi_crop/{method}-multi-crop'
    return (
        Setting(
            method,
            f'{title}, 2 crops, {longer:g} times the epochs',
            f'{two}_{_NETWORK}.py',
            'cifar10',
            small_views(),
            longer=longer,
        ),
        Setting(
            f'{method}-multi-crop',
            f'{title}, 2 large and 4 small crops',
            f'{many}_{_NETWORK}.py',
            'cifar10',
            small_views('large_pipeline', fast=False),
            role='multi-crop',
            against=method,
        ),
    )


SUITE = Suite(
    title='Multi-crop at equal time on CIFAR-10',
    epochs=6,
    in_memory=True,
    images=Images(per_class=1500),
    settings=(
        Setting(
            'untrained',
            'the untrained network',
            f'configs/simclr/simclr_{_NETWORK}.py',
            'cifar10',
            role=UNTRAINED,
        ),
        *_pair('simclr', 'SimCLR', _SIMCLR_LONGER),
        *_pair('mocov2', 'MoCo-v2', _MOCO_LONGER),
    ),
    measures=(KNN(watch=False), FastLinear()),
    figures=(
        Figure(_LINEAR, 'linear top-1 (%)', 'linear top-1'),
        Figure(_KNN, 'kNN top-1 (%)', 'kNN top-1'),
        Figure(TRAINING, 'CPU seconds', 'CPU seconds', digits=0, unit='s'),
    ),
    compared=(_LINEAR, _KNN),
    claims=(
        Claim('multi-crop', _LINEAR, +1, 'small crops gain at equal time', 'recalled, of SwAV'),
    ),
    records=(
        RecordPlan(
            'multi-crop-{data}-{setting}.json',
            'fast linear probe and weighted kNN (k=20), equal time',
            (_LINEAR, _KNN),
        ),
    ),
    notes="""
Mean ± sample standard deviation over seeds. CPU seconds are those of the training, views included.
Large crops cover 30 to 100 % of an image where there are six, 20 to 100 % where there are two;
small ones 10 to 30 %, at 16 pixels. Encoders are trained in bfloat16, on large crops of 24 pixels,
and measured at 32.
""",
)
