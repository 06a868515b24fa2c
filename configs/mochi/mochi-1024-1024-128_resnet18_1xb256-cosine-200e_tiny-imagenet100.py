"""MoCHi (1024, 1024, 128), 100 classes of Tiny ImageNet, ResNet-18, 200 epochs on one GPU.

Paper: Kalantidis et al., NeurIPS 2020 (2010.01028); this size is ours, not the paper's.
Command: python tools/train.py configs/mochi/mochi-1024-1024-128_resnet18_1xb256-cosine-200e_tiny-imagenet100.py
Hardware: 1 GPU; hours not yet measured.
Expected: none published for this setting.
Measured: not yet measured.
"""

_base_ = '../mocov2/mocov2_resnet18_1xb256-cosine-200e_tiny-imagenet100.py'

model = dict(
    head=dict(
        type='HardNegativeMixingHead',
        num_hard=1024,
        start_epoch=10,
        mixers=[
            dict(type='PairMixing', num=1024),
            dict(type='QueryMixing', num=128),
        ],
    )
)
