"""SynCo, ImageNet-1K, ResNet-50, 200 epochs.

Paper: Giakoumoglou and Stathaki 2024 (arXiv 2410.02401); settings of the authors' code.
Command: tools/dist_train.sh configs/synco/synco_resnet50_8xb32-cosine-200e_in1k.py 8
Hardware: 8 GPUs; hours not yet measured.
Expected: linear probe top-1 68.1 (authors' README; later versions of the paper say 67.9).
Measured: not yet measured.
"""

_base_ = '../mocov2/mocov2_resnet50_8xb32-cosine-200e_in1k.py'

model = dict(
    head=dict(
        type='HardNegativeMixingHead',
        num_hard=1024,
        start_epoch=10,
        mixers=[
            dict(type='QueryMixing', num=256),
            dict(type='Extrapolation', num=256, max_reach=1.5),
            dict(type='PairMixing', num=256),
            dict(type='NoiseInjection', num=64, std=0.01),
            dict(type='GradientStep', num=64, step=0.01),
            dict(type='SignStep', num=64, step=0.01),
        ],
    )
)
