"""CMC, CIFAR-10, two quarter-width ResNet-10 on L and ab, 6 epochs: a real run for two CPU cores.

Paper: Tian et al., ECCV 2020 (arXiv 1906.05849); networks, budget and temperature are ours, for a
    CPU. What a short run needs: a batch norm behind the projection, and a low rate, because a row
    of the bank is met again only an epoch after it was written.
Command: python tools/train.py \\
    configs/cmc/cmc_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 2 CPU cores; minutes not yet measured.
Expected: kNN top-1 (k=20) at least 8 points above the untrained network.
Measured: kNN top-1 (k=20) 43.8, untrained 33.5, at the budget of
    docs/family.md.
"""

_base_ = [
    '../_base_/datasets/cifar10.py',
    '../_base_/models/cmc_resnet18_small.py',
    '../_base_/schedules/sgd_cosine_6e_cpu.py',
    '../_base_/default_runtime.py',
]

model = dict(
    channels_last=True,
    backbone=dict(
        backbones=[
            dict(type='ResNet', depth=10, width=0.25, stem='small', in_channels=1),
            dict(type='ResNet', depth=10, width=0.25, stem='small', in_channels=2),
        ]
    ),
    neck=dict(
        necks=[
            dict(type='MLPNeck', in_channels=128, num_layers=1, norm='all', last_affine=False),
            dict(type='MLPNeck', in_channels=128, num_layers=1, norm='all', last_affine=False),
        ]
    ),
    head=dict(num_negatives=1024),
)
train_dataloader = dict(
    batch_size=256,
    num_workers=1,
    pin_memory=False,
    dataset=dict(pipeline='$probe_pipeline'),
)
optim_wrapper = dict(optimizer=dict(lr=0.03))
custom_hooks = [
    dict(
        type='KNNHook',
        interval=3,
        bank_dataloader='$bank_dataloader',
        query_dataloader='$query_dataloader',
    )
]
