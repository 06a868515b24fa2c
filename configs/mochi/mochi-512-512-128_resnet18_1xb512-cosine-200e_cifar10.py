"""MoCHi (512, 512, 128), CIFAR-10, ResNet-18, 200 epochs on one GPU.

Paper: Kalantidis et al., NeurIPS 2020 (2010.01028); this size is ours, not the paper's.
Command: python tools/train.py configs/mochi/mochi-512-512-128_resnet18_1xb512-cosine-200e_cifar10.py
Hardware: 1 GPU; hours not yet measured.
Expected: none published for this setting.
Measured: not yet measured.
"""

_base_ = '../mocov2/mocov2_resnet18_1xb512-cosine-200e_cifar10.py'

model = dict(
    head=dict(
        type='HardNegativeMixingHead',
        num_hard=512,
        start_epoch=10,
        mixers=[
            dict(type='PairMixing', num=512),
            dict(type='QueryMixing', num=128),
        ],
    )
)
