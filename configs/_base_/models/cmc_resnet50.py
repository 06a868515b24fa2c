"""CMC on two half-width ResNet-50 on L and ab: width 128, 4,096 negatives, temperature 0.07."""

model = dict(
    type='CrossViewContrast',
    data_preprocessor=dict(type='ColorSpaceDataPreprocessor', space='lab'),
    backbone=dict(
        type='SplitBackbone',
        backbones=[
            dict(type='ResNet', depth=50, width=0.5, in_channels=1),
            dict(type='ResNet', depth=50, width=0.5, in_channels=2),
        ],
    ),
    neck=dict(
        type='SplitNeck',
        necks=[
            dict(type='MLPNeck', in_channels=1024, num_layers=1),
            dict(type='MLPNeck', in_channels=1024, num_layers=1),
        ],
    ),
    head=dict(
        type='CrossViewHead',
        form='nce',
        temperature=0.07,
        num_negatives=4096,
        memories=[
            dict(type='InstanceBank', length=1281167, dim=128, ema_decay=0.5),
            dict(type='InstanceBank', length=1281167, dim=128, ema_decay=0.5),
        ],
    ),
)
