"""MoCHi (256, 512, 0), ImageNet-1K, ResNet-50, 200 epochs.

Paper: Kalantidis et al., Hard Negative Mixing for Contrastive Learning, NeurIPS 2020 (2010.01028).
Command: tools/dist_train.sh configs/mochi/mochi-256-512-0_resnet50_8xb32-cosine-200e_in1k.py 8
Hardware: 8 GPUs; hours not yet measured.
Expected: linear probe top-1 67.7 (recalled from the paper, not checked against it).
Measured: not yet measured.
"""

_base_ = '../mocov2/mocov2_resnet50_8xb32-cosine-200e_in1k.py'

model = dict(
    head=dict(
        type='HardNegativeMixingHead',
        num_hard=256,
        start_epoch=15,
        mixers=[
            dict(type='PairMixing', num=512),
        ],
    )
)
