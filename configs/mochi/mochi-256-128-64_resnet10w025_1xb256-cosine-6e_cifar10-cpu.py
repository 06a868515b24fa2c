"""MoCHi (256, 128, 64), CIFAR-10, a quarter-width ResNet-10, 6 epochs on two CPU cores.

Paper: Kalantidis et al., NeurIPS 2020 (2010.01028); network and budget are ours, for a CPU.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/mochi/mochi-256-128-64_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 2 CPU cores; 19 minutes of CPU time over the two (AMD EPYC, AVX2).
Expected: kNN top-1 (k=20) at least 15 points above the untrained network.
Measured: kNN top-1 (k=20) 52.4, untrained 35.0.
"""

_base_ = '../mocov2/mocov2_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(
    head=dict(
        type='HardNegativeMixingHead',
        num_hard=256,
        start_epoch=2,
        mixers=[
            dict(type='PairMixing', num=128),
            dict(type='QueryMixing', num=64),
        ],
    )
)
