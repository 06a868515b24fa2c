"""IFND, elimination, on MoCo-v2, CIFAR-10, a quarter-width ResNet-10, 6 epochs on two CPU cores.

Paper: Chen et al., ICLR 2022 (arXiv 2106.03719 [recalled]); network, budget and numbers of clusters
    are ours, for a CPU. Clusters from the second epoch on, labels from the third, a growing share.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/ifnd/ifnd_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 2 CPU cores; minutes not yet measured.
Expected: kNN top-1 (k=20) at least 8 points above the untrained network.
Measured: kNN top-1 (k=20) 46.3, untrained 32.5, at the budget of
    docs/comparisons.md.
"""

_base_ = '../mocov2/mocov2_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(
    head=dict(
        type='PseudoLabelHead',
        strategy='eliminate',
        pseudo_labels=dict(type='PseudoLabels', length=50000, num_clusters=[50, 200]),
    )
)
custom_hooks = [
    dict(type='PseudoLabelHook', label_dataloader='$bank_dataloader', start_epoch=1),
    dict(
        type='KNNHook',
        interval=3,
        bank_dataloader='$bank_dataloader',
        query_dataloader='$query_dataloader',
    ),
]
