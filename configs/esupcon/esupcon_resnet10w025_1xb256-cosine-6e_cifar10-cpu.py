"""ESupCon, CIFAR-10, a quarter-width ResNet-10, 6 epochs: encoder and classifier on two CPU cores.

Paper: Aljundi et al. 2023 (arXiv 2211.03646), in our reading: see the README; network, budget, rate
    and temperature are ours, for a CPU.
Command: python tools/train.py \\
    configs/esupcon/esupcon_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 1 CPU core.
Expected: top-1 of the prototypes at least 20 points above kNN of the untrained network.
Measured: top-1 of what it classifies with 44.9, at the budget of
    docs/comparisons.md.
"""

_base_ = [
    '../supcon/supcon_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py',
    '../_base_/classify_queries.py',
]

model = dict(head=dict(type='ESupConHead', num_classes=10, in_channels=128))
train_cfg = dict(val_interval=3)
# A prototype is scaled to unit length: decay would only raise its rate.
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'head.prototypes': dict(decay_mult=0.0)}))
