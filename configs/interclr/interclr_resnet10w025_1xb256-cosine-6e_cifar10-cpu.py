"""InterCLR on MoCo-v2, CIFAR-10, a quarter-width ResNet-10, 6 epochs on two CPU cores.

Paper: Xie et al., IJCV 2022; network, budget, number of clusters and of draws are ours, for a CPU:
    the share of the images that the pool is, and of the pool that is drawn, are the authors'.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/interclr/interclr_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 2 CPU cores; minutes not yet measured.
Expected: kNN top-1 (k=20) at least 8 points above the untrained network.
Measured: kNN top-1 (k=20) 46.2, untrained 32.5, at the budget of
    docs/comparisons.md.
"""

_base_ = '../mocov2/mocov2_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(
    head=dict(
        type='InterClusterHead',
        bank=dict(type='ClusterBank', length=50000, num_clusters=200, dim=128),
        num_negatives=640,
        pool=5000,
        start_epoch=1,
    )
)
custom_hooks = [
    dict(
        type='PseudoLabelHook',
        label_dataloader='$bank_dataloader',
        interval=None,
        start_epoch=1,
    ),
    dict(type='ClusterUpkeepHook', interval=10),
    dict(
        type='KNNHook',
        interval=3,
        bank_dataloader='$bank_dataloader',
        query_dataloader='$query_dataloader',
    ),
]
