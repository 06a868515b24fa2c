"""FNC on ResNet-50: 10 views, 8 of them support views, attraction, 65,536 keys, temperature 0.1."""

model = dict(
    type='MoCo',
    online_views=(0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    target_views=(0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    batch_shuffle='none',
    ema_decay=0.999,
    data_preprocessor=dict(
        type='ViewDataPreprocessor', mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)
    ),
    backbone=dict(type='ResNet', depth=50),
    neck=dict(
        type='MLPNeck',
        in_channels=2048,
        hidden_channels=2048,
        out_channels=128,
        num_layers=3,
        norm='all',
    ),
    head=dict(
        type='FalseNegativeHead',
        strategy='attract',
        temperature=0.1,
        finder=dict(
            type='FalseNegativeFinder', num_support=8, support='full', top_k=10, threshold=0.7
        ),
        memory=dict(type='FeatureQueue', length=65536, dim=128),
    ),
)
