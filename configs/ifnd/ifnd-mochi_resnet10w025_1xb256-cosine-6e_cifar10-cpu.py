"""IFND with MoCHi (256, 128, 64): what is taken for a false negative is not mixed; CIFAR-10, a CPU.

Paper: none; Chen et al. 2022 and Kalantidis et al. 2020 together. One granularity, so that both
    leave out the same; network and budget are ours.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/ifnd/ifnd-mochi_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 2 CPU cores; minutes not yet measured.
Expected: kNN top-1 (k=20) at least 8 points above the untrained network.
Measured: kNN top-1 (k=20) 46.5, untrained 32.5, at the budget of
    docs/comparisons.md.
"""

_base_ = './ifnd_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(
    head=dict(
        pseudo_labels=dict(num_clusters=[100]),
        mixing=dict(
            type='HardNegativeMixing',
            num_hard=256,
            start_epoch=2,
            mixers=[dict(type='PairMixing', num=128), dict(type='QueryMixing', num=64)],
        ),
    )
)
