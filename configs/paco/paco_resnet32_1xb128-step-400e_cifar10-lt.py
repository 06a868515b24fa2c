"""PaCo, CIFAR-10-LT (factor 0.01), ResNet-32, 400 epochs: the authors' setting for CIFAR-100-LT.

Paper: Cui et al. 2021 (PaCo, arXiv 2107.12028), which has no CIFAR-10-LT in its code.
Command: python tools/train.py configs/paco/paco_resnet32_1xb128-step-400e_cifar10-lt.py
Hardware: 1 GPU; hours not yet measured.
Expected: none published for this setting.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/cifar10_lt.py',
    '../_base_/models/paco_resnet32.py',
    '../_base_/schedules/sgd_warm_step_400e.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(num_classes=10))
strong_pipeline = [
    dict(type='RandomCrop', size=32, padding=4),
    dict(type='RandomFlip', prob=0.5),
    dict(type='AutoAugment', policy='cifar10', fill=128),
    dict(type='Cutout', length=16),
]
