"""MoCHi (128, 128, 64) on generated scenes of four channels of 16 bits, a quarter-width ResNet-10.

Paper: Kalantidis et al., NeurIPS 2020 (2010.01028); network, data and budget are ours.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/mochi/mochi-128-128-64_resnet10w025_1xb128-cosine-15e_channel-shapes-cpu.py
Hardware: 1 CPU core; minutes not yet measured.
Expected: kNN top-1 (k=20) at least 5 points above the untrained network.
Measured: kNN top-1 (k=20) 34.1, untrained 15.9 (one seed).
"""

_base_ = '../mocov2/mocov2_resnet10w025_1xb128-cosine-15e_channel-shapes-cpu.py'

model = dict(
    head=dict(
        type='HardNegativeMixingHead',
        num_hard=128,
        start_epoch=2,
        mixers=[
            dict(type='PairMixing', num=128),
            dict(type='QueryMixing', num=64),
        ],
    )
)
