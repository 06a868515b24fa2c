"""PaCo, CIFAR-10-LT (factor 0.01), a quarter-width ResNet-10, 30 epochs: a run for one CPU core.

Paper: Cui et al. 2021 (PaCo, arXiv 2107.12028); network, budget, rate, alpha, temperature and
    augmentation are ours, for a CPU.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/paco/paco_resnet10w025_1xb128-cosine-30e_cifar10-lt-cpu.py
Hardware: 1 CPU core.
Expected: top-1 of the classifier on all classes above that of cross-entropy at the same budget.
Measured: top-1 of all classes 60.0, of those with few images 63.7, at the budget of
    docs/comparisons.md.
"""

_base_ = [
    '../_base_/datasets/cifar10_lt.py',
    '../_base_/models/moco_resnet18_small.py',
    '../_base_/schedules/sgd_cosine_6e_cpu.py',
    '../_base_/default_runtime.py',
]

model = dict(
    channels_last=True,
    ema_decay=0.98,
    batch_shuffle='none',
    backbone=dict(depth=10, width=0.25),
    neck=dict(in_channels=128, hidden_channels=128, norm='hidden'),
    head=dict(
        _delete_=True,
        type='ParametricContrastHead',
        num_classes=10,
        in_channels=128,
        # The best of 0.0005 to 0.05 on held-out images: 1,024 keys hold some 400 of the first class,
        # and alpha times as many compete with its center.
        alpha=0.0005,
        temperature=0.2,
        memory=dict(type='FeatureQueue', length=1024, dim=128),
    ),
)
train_dataloader = dict(num_workers=1, pin_memory=False)
optim_wrapper = dict(optimizer=dict(lr=0.1))
train_cfg = dict(max_epochs=30, val_interval=10)
auto_scale_lr = dict(base_batch_size=128)
