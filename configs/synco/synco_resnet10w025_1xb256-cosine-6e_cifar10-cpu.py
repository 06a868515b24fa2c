"""SynCo, CIFAR-10, a quarter-width ResNet-10, 6 epochs on two CPU cores.

Paper: Giakoumoglou and Stathaki 2024 (arXiv 2410.02401); network, budget and this size, a quarter
    of the authors' numbers for ImageNet, are ours, for a CPU.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/synco/synco_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 2 CPU cores; minutes not yet measured.
Expected: kNN top-1 (k=20) at least 8 points above the untrained network.
Measured: kNN top-1 (k=20) 43.9, untrained 31.3, at the budget of
    docs/family.md.
"""

_base_ = '../mocov2/mocov2_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(
    head=dict(
        type='HardNegativeMixingHead',
        num_hard=256,
        start_epoch=2,
        mixers=[
            dict(type='QueryMixing', num=64),
            dict(type='Extrapolation', num=64),
            dict(type='PairMixing', num=64),
            dict(type='NoiseInjection', num=16),
            dict(type='GradientStep', num=16),
            dict(type='SignStep', num=16),
        ],
    )
)
