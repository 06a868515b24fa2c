"""CMC on two half-width ResNet-18 with the stem for small images, on L and ab; softmax form."""

model = dict(
    type='CrossViewContrast',
    data_preprocessor=dict(type='ColorSpaceDataPreprocessor', space='lab'),
    backbone=dict(
        type='SplitBackbone',
        backbones=[
            dict(type='ResNet', depth=18, width=0.5, stem='small', in_channels=1),
            dict(type='ResNet', depth=18, width=0.5, stem='small', in_channels=2),
        ],
    ),
    neck=dict(
        type='SplitNeck',
        necks=[
            dict(type='MLPNeck', in_channels=256, num_layers=1),
            dict(type='MLPNeck', in_channels=256, num_layers=1),
        ],
    ),
    head=dict(
        type='CrossViewHead',
        form='softmax',
        temperature=0.1,
        num_negatives=4096,
        memories=[
            dict(type='InstanceBank', length=50000, dim=128, ema_decay=0.5),
            dict(type='InstanceBank', length=50000, dim=128, ema_decay=0.5),
        ],
    ),
)
