"""Cross-entropy on both views, CIFAR-10, a quarter-width ResNet-10, 6 epochs, on a CPU.

Paper: none; the baseline of ESupCon, with its views, network and budget.
Command: python tools/train.py \\
    configs/esupcon/cross-entropy_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 1 CPU core.
Expected: none published for this setting.
Measured: top-1 of what it classifies with 56.7, at the budget of
    docs/comparisons.md.
"""

_base_ = [
    '../supcon/supcon_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py',
    '../_base_/classify_queries.py',
]

model = dict(
    neck=None,
    head=dict(
        _delete_=True,
        type='BalancedSoftmaxHead',
        num_classes=10,
        in_channels=128,
        class_counts=None,
    ),
)
train_cfg = dict(val_interval=3)
