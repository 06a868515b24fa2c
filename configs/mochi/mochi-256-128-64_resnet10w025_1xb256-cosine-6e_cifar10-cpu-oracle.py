"""MoCHi (256, 128, 64) with the class oracle in loss and mixing, CIFAR-10, ResNet-10 of a quarter.

Paper: Kalantidis et al., NeurIPS 2020 (2010.01028), class oracle; an upper bound that uses labels.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/mochi/mochi-256-128-64_resnet10w025_1xb256-cosine-6e_cifar10-cpu-oracle.py
Hardware: 2 CPU cores; minutes as for the config without the oracle.
Expected: above the config without the oracle.
Measured: not yet measured.
"""

_base_ = '../mocov2/mocov2_resnet10w025_1xb256-cosine-6e_cifar10-cpu-oracle.py'

model = dict(
    head=dict(
        type='HardNegativeMixingHead',
        oracle_mix=True,
        num_hard=256,
        start_epoch=2,
        mixers=[dict(type='PairMixing', num=128), dict(type='QueryMixing', num=64)],
    )
)
