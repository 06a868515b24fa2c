"""ResCom, CIFAR-10-LT (factor 0.01), a quarter-width ResNet-10, 30 epochs: a run for one CPU core.

Paper: Zhong et al. 2022 (ResCom, arXiv 2203.11506); network, budget, rate, queue and augmentation
    are ours, for a CPU.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/rescom/rescom_resnet10w025_1xb128-cosine-30e_cifar10-lt-cpu.py
Hardware: 1 CPU core.
Expected: top-1 of the classifier on all classes above that of cross-entropy at the same budget.
Measured: top-1 of all classes 63.1, of those with few images 67.5, at the budget of
    docs/comparisons.md.
"""

_base_ = [
    '../_base_/datasets/cifar10_lt.py',
    '../_base_/models/in_batch_resnet18_small.py',
    '../_base_/schedules/sgd_cosine_6e_cpu.py',
    '../_base_/default_runtime.py',
]

model = dict(
    channels_last=True,
    backbone=dict(depth=10, width=0.25),
    neck=dict(in_channels=128, hidden_channels=128, norm='hidden'),
    head=dict(
        _delete_=True,
        type='ResComHead',
        num_positives=1,
        num_negatives=400,
        weight=0.5,
        memory=dict(type='ClassBalancedQueue', num_classes=10, per_class=100, dim=128),
    ),
    heads=dict(classifier=dict(type='BalancedSoftmaxHead', num_classes=10, in_channels=128)),
)
train_pipeline = [
    dict(type='MultiView', transforms=['$strong_pipeline'], num_views=[2]),
    dict(type='PackInputs'),
]
train_dataloader = dict(num_workers=1, pin_memory=False)
optim_wrapper = dict(optimizer=dict(lr=0.1))
train_cfg = dict(max_epochs=30, val_interval=10)
auto_scale_lr = dict(base_batch_size=128)
