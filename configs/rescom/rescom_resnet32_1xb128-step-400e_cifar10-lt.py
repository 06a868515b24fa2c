"""ResCom, CIFAR-10-LT (factor 0.01), ResNet-32, 400 epochs.

Paper: Zhong et al. 2022 (ResCom, arXiv 2203.11506); settings of the authors' code for CIFAR-100-LT,
    those for CIFAR-10-LT are not known; the queue holds as many keys in all.
Command: python tools/train.py configs/rescom/rescom_resnet32_1xb128-step-400e_cifar10-lt.py
Hardware: 1 GPU; hours not yet measured.
Expected: top-1 84.9, 88.0 and 92.0 at the factors 0.01, 0.02 and 0.1 (authors' README).
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/cifar10_lt.py',
    '../_base_/models/in_batch_resnet18_small.py',
    '../_base_/schedules/sgd_warm_step_400e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(_delete_=True, type='CIFARResNet', depth=32),
    neck=dict(in_channels=64, hidden_channels=64, out_channels=32, norm='hidden'),
    head=dict(
        _delete_=True,
        type='ResComHead',
        num_positives=1,
        num_negatives=400,
        temperature=0.2,
        weight=0.5,
        effective_beta=0.999999,
        memory=dict(type='ClassBalancedQueue', num_classes=10, per_class=100, dim=32),
    ),
    heads=dict(classifier=dict(type='BalancedSoftmaxHead', num_classes=10, in_channels=64)),
)
strong_pipeline = [
    dict(type='RandomCrop', size=32, padding=4),
    dict(type='RandomFlip', prob=0.5),
    dict(type='AutoAugment', policy='cifar10', fill=128),
    dict(type='Cutout', length=16),
]
train_pipeline = [
    dict(type='MultiView', transforms=['$strong_pipeline'], num_views=[2]),
    dict(type='PackInputs'),
]
optim_wrapper = dict(optimizer=dict(lr=0.1))
