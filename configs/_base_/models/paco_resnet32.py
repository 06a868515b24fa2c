"""PaCo on the ResNet-32 of CIFAR: features of 64, keys of 32, a queue of 1,024, temperature 0.05."""

model = dict(
    type='MoCo',
    ema_decay=0.999,
    batch_shuffle='none',
    data_preprocessor=dict(
        type='ViewDataPreprocessor', mean=(125.307, 122.950, 113.865), std=(62.993, 62.089, 66.705)
    ),
    backbone=dict(type='CIFARResNet', depth=32),
    neck=dict(type='MLPNeck', in_channels=64, hidden_channels=64, out_channels=32, norm='hidden'),
    head=dict(
        type='ParametricContrastHead',
        num_classes=100,
        in_channels=64,
        alpha=0.01,
        temperature=0.05,
        memory=dict(type='FeatureQueue', length=1024, dim=32),
    ),
)
