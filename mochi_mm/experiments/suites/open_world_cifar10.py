"""OpenCon on CIFAR-10 with five known classes, from SimCLR, beside k-means on the same features.

A quarter-width ResNet-10; SimCLR sees no label, OpenCon goes on from its last weights.
"""

from __future__ import annotations

from mochi_mm.experiments.cpu_options import small_views
from mochi_mm.experiments.figures import TRAINING, Figure
from mochi_mm.experiments.findings import Claim
from mochi_mm.experiments.images import Images
from mochi_mm.experiments.measures import KNN, OpenWorldMeasure
from mochi_mm.experiments.setting import Setting
from mochi_mm.experiments.suite import RecordPlan, Suite

_CONFIG = 'configs/opencon/opencon_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'
_AS_SIMCLR = {
    'model.head': dict(_delete_=True, type='NTXentHead', temperature=0.2),
    'optim_wrapper.optimizer.lr': 0.3,
}
_SETS = {'unlabeled': 'unlabeled training images', 'test': 'test images'}
_KEYS = {
    'seen': 'seen',
    'novel': 'novel',
    'all': 'all',
    'nmi_novel': 'NMI, novel',
    'kmeans': 'all, k-means',
}


def _figures() -> tuple[Figure, ...]:
    return tuple(
        Figure(f'{name}/{key}', f'{title} ({words})', f'{title} on the {words}')
        for name, words in _SETS.items()
        for key, title in _KEYS.items()
    )


SUITE = Suite(
    title='OpenCon on CIFAR-10, five classes known',
    epochs=10,
    options=small_views(),
    in_memory=True,
    images=Images(per_class=2000),
    settings=(
        Setting('simclr', 'SimCLR, the start', _CONFIG, 'cifar10', _AS_SIMCLR, 'start'),
        Setting(
            'opencon',
            'OpenCon',
            _CONFIG,
            'cifar10',
            role='opencon',
            against='simclr',
            start='simclr',
        ),
    ),
    measures=(OpenWorldMeasure(10, 5), KNN(watch=False)),
    figures=(
        *_figures(),
        Figure('knn/top1_k20', 'kNN (%)', 'kNN top-1'),
        Figure(TRAINING, 'CPU seconds', 'CPU seconds', digits=0, unit='s'),
    ),
    compared=('unlabeled/kmeans', 'test/kmeans', 'knn/top1_k20'),
    claims=tuple(
        Claim(
            'opencon',
            f'{name}/all',
            +1,
            f'its prototypes are better than k-means on its own features ({words})',
            'its purpose',
            than=f'{name}/kmeans',
            than_words='k-means',
        )
        for name, words in _SETS.items()
    ),
    records=(
        RecordPlan(
            'open-world-{data}-{setting}.json',
            'open world, 5 of 10 classes known, half of their images labeled; classes matched one '
            'to one',
            tuple(f'{name}/{key}' for name in _SETS for key in _KEYS),
        ),
    ),
    notes="""
Percent. Seen: accuracy on the five known classes; novel and all: predicted and right classes
matched one to one; NMI: normalized mutual information on the five new classes. On the training
images without a label (transductive, what papers report) and on all test images. k-means: ten
clusters of pooled features of unit length, matched. kNN sees all labels. CPU seconds are those of
the training; OpenCon's come after SimCLR's.
Encoders are trained in bfloat16 on views of 24 pixels, and measured at 32.
""",
)
