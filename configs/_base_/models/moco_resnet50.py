"""MoCo-v2 on ResNet-50: 2-layer projection to 128, 65,536 keys, temperature 0.2."""

model = dict(
    type='MoCo',
    ema_decay=0.999,
    data_preprocessor=dict(
        type='ViewDataPreprocessor', mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)
    ),
    backbone=dict(type='ResNet', depth=50),
    neck=dict(type='MLPNeck', in_channels=2048, hidden_channels=2048, out_channels=128),
    head=dict(
        type='ContrastiveHead',
        temperature=0.2,
        memory=dict(type='FeatureQueue', length=65536, dim=128),
    ),
)
