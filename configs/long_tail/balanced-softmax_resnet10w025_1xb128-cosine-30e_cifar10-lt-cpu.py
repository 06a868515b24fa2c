"""Balanced softmax, CIFAR-10-LT (factor 0.01), a quarter-width ResNet-10: a run for one CPU core.

Paper: Ren et al. 2020 (Balanced Meta-Softmax, arXiv 2007.10740); network, budget and rate are ours,
    for a CPU.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/long_tail/balanced-softmax_resnet10w025_1xb128-cosine-30e_cifar10-lt-cpu.py
Hardware: 1 CPU core.
Expected: top-1 on all classes above that of cross-entropy, most of it in the classes with few images.
Measured: top-1 of all classes 59.5, of those with few images 58.6, at the budget of
    docs/comparisons.md.
"""

_base_ = [
    '../_base_/datasets/cifar10_lt.py',
    '../_base_/models/linear_resnet18_small.py',
    '../_base_/schedules/sgd_cosine_6e_cpu.py',
    '../_base_/default_runtime.py',
]

model = dict(
    channels_last=True,
    freeze_backbone=False,
    backbone=dict(depth=10, width=0.25),
    head=dict(_delete_=True, type='BalancedSoftmaxHead', num_classes=10, in_channels=128),
)
train_pipeline = [
    dict(type='MultiView', transforms=['$strong_pipeline'], num_views=[1]),
    dict(type='PackInputs'),
]
train_dataloader = dict(num_workers=1, pin_memory=False)
optim_wrapper = dict(optimizer=dict(lr=0.1))
train_cfg = dict(max_epochs=30, val_interval=10)
auto_scale_lr = dict(base_batch_size=128)
