"""SimCLR, CIFAR-10, a quarter-width ResNet-10, 6 epochs: a real run for two CPU cores.

Paper: Chen et al. 2020 (SimCLR, arXiv 2002.05709); network, budget, rate and temperature are ours,
    for a CPU.
Command: python tools/train.py \\
    configs/simclr/simclr_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 1 CPU core.
Expected: kNN top-1 (k=20) at least 8 points above the untrained network.
Measured: kNN top-1 (k=20) 47.7, untrained 31.3, at the budget of
    docs/family.md.
"""

_base_ = [
    '../_base_/datasets/cifar10.py',
    '../_base_/models/in_batch_resnet18_small.py',
    '../_base_/schedules/sgd_cosine_6e_cpu.py',
    '../_base_/default_runtime.py',
]

model = dict(
    channels_last=True,
    backbone=dict(depth=10, width=0.25),
    neck=dict(in_channels=128, hidden_channels=128, norm='all', last_affine=False),
    head=dict(temperature=0.2),
)
train_dataloader = dict(batch_size=256, num_workers=1, pin_memory=False)
custom_hooks = [
    dict(
        type='KNNHook',
        interval=3,
        bank_dataloader='$bank_dataloader',
        query_dataloader='$query_dataloader',
    )
]
