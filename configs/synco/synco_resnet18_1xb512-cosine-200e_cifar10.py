"""SynCo, CIFAR-10, ResNet-18, 200 epochs on one GPU.

Paper: Giakoumoglou and Stathaki 2024 (arXiv 2410.02401); this size, half of the authors' numbers
    for ImageNet, is ours.
Command: python tools/train.py configs/synco/synco_resnet18_1xb512-cosine-200e_cifar10.py
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
            dict(type='QueryMixing', num=128),
            dict(type='Extrapolation', num=128),
            dict(type='PairMixing', num=128),
            dict(type='NoiseInjection', num=32),
            dict(type='GradientStep', num=32),
            dict(type='SignStep', num=32),
        ],
    )
)
