"""MoCo-v2, MoCHi and class oracles on CIFAR-10 and Tiny ImageNet (100 classes), for a GPU.

ResNet-18, 200 epochs, the configs as they are, on all images.
"""

from __future__ import annotations

from mochi_mm.experiments import evidence
from mochi_mm.experiments.suite import Suite

_CIFAR = 'resnet18_1xb512-cosine-200e_cifar10'
_TINY = 'resnet18_1xb256-cosine-200e_tiny-imagenet100'

SUITE = Suite(
    title='Evidence on CIFAR-10 and Tiny ImageNet, on a GPU',
    epochs=200,
    num_workers=None,
    device='cuda',
    settings=[
        *evidence.settings_of(
            'cifar10',
            f'configs/mocov2/mocov2_{_CIFAR}.py',
            f'configs/mochi/mochi-512-512-128_{_CIFAR}.py',
            [(512, 512, 128), (512, 512, 0), (512, 128, 256)],
        ),
        *evidence.settings_of(
            'tiny_imagenet100',
            f'configs/mocov2/mocov2_{_TINY}.py',
            f'configs/mochi/mochi-1024-1024-128_{_TINY}.py',
            [(1024, 1024, 128), (1024, 256, 512), (1024, 128, 256)],
        ),
    ],
    records=evidence.records('cuda'),
    **evidence.COMMON,
)
