"""MoCo-v2 on ResNet-18 with the stem for small images: 4,096 keys, temperature 0.2."""

model = dict(
    type='MoCo',
    ema_decay=0.99,
    data_preprocessor=dict(
        type='ViewDataPreprocessor', mean=(125.307, 122.950, 113.865), std=(62.993, 62.089, 66.705)
    ),
    backbone=dict(type='ResNet', depth=18, stem='small'),
    neck=dict(type='MLPNeck', in_channels=512, hidden_channels=512, out_channels=128),
    head=dict(
        type='ContrastiveHead',
        temperature=0.2,
        memory=dict(type='FeatureQueue', length=4096, dim=128),
    ),
)
