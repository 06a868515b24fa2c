"""ResCom, CIFAR-100-LT (factor 0.01), ResNet-32, 400 epochs: the authors' setting.

Paper: Zhong et al. 2022 (ResCom, arXiv 2203.11506); settings of the authors' code, which once had
    this one config. Factors 0.02 and 0.1: --cfg-options imbalance_factor=0.02
Command: python tools/train.py configs/rescom/rescom_resnet32_1xb128-step-400e_cifar100-lt.py
Hardware: 1 GPU; hours not yet measured.
Expected: top-1 53.8, 58.0 and 66.1 at the factors 0.01, 0.02 and 0.1 (authors' README).
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/cifar100_lt.py',
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
        memory=dict(type='ClassBalancedQueue', num_classes=100, per_class=10, dim=32),
    ),
    heads=dict(classifier=dict(type='BalancedSoftmaxHead', num_classes=100, in_channels=64)),
)
train_pipeline = [
    dict(type='MultiView', transforms=['$strong_pipeline'], num_views=[2]),
    dict(type='PackInputs'),
]
optim_wrapper = dict(optimizer=dict(lr=0.1))
