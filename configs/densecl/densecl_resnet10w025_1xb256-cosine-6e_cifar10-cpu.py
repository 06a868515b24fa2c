"""DenseCL, CIFAR-10, a quarter-width ResNet-10, 6 epochs on two CPU cores.

Paper: Wang et al., Dense Contrastive Learning for Self-Supervised Visual Pre-Training, CVPR 2021
    (arXiv 2011.09157); network, budget and the batch norms of the neck are ours, for a CPU. The
    last map has 4 x 4 cells, and the queue of the cells is short: each of 16 cells meets all of it.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/densecl/densecl_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 2 CPU cores; minutes not yet measured.
Expected: kNN top-1 (k=20) at least 8 points above the untrained network.
Measured: kNN top-1 (k=20) 44.2, untrained 31.3, at the budget of docs/family.md.
"""

_base_ = '../mocov2/mocov2_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(
    neck=dict(type='DenseCLNeck'),
    head=dict(weight=0.5),
    heads=dict(
        dense=dict(
            type='DenseContrastiveHead',
            weight=0.5,
            temperature=0.2,
            memory=dict(type='FeatureQueue', length=2048, dim=128),
        )
    ),
)
