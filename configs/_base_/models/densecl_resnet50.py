"""DenseCL on ResNet-50: both projections to 128, two queues of 65,536 keys, temperature 0.2."""

_base_ = 'moco_resnet50.py'

model = dict(
    neck=dict(type='DenseCLNeck'),
    head=dict(weight=0.5),
    heads=dict(
        dense=dict(
            type='DenseContrastiveHead',
            weight=0.5,
            temperature=0.2,
            memory=dict(type='FeatureQueue', length=65536, dim=128),
        )
    ),
)
