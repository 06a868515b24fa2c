"""MoCo-v2, MoCHi and class oracles on CIFAR-10: a small network, for two CPU cores.

A quarter-width ResNet-10, ten epochs over 1,500 images of each class, 580 steps of 256. Nothing but
the head differs.
"""

from __future__ import annotations

from mochi_mm.experiments import evidence
from mochi_mm.experiments.images import Images
from mochi_mm.experiments.suite import Suite

_CONFIG = 'resnet10w025_1xb256-cosine-6e_cifar10-cpu'

SUITE = Suite(
    title='Evidence on CIFAR-10, on a CPU',
    epochs=10,
    images=Images(per_class=1500),
    settings=evidence.settings_of(
        'cifar10',
        f'configs/mocov2/mocov2_{_CONFIG}.py',
        f'configs/mochi/mochi-256-128-64_{_CONFIG}.py',
        [(256, 128, 64), (256, 256, 0), (256, 64, 128)],
        (
            f'configs/mocov2/mocov2_{_CONFIG}-oracle.py',
            f'configs/mochi/mochi-256-128-64_{_CONFIG}-oracle.py',
        ),
    ),
    records=evidence.records('cpu'),
    **evidence.COMMON,
)
