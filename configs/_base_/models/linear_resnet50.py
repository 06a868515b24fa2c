"""A linear classifier on a frozen ResNet-50."""

model = dict(
    type='ImageClassifier',
    freeze_backbone=True,
    data_preprocessor=dict(
        type='ViewDataPreprocessor', mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)
    ),
    backbone=dict(type='ResNet', depth=50),
    head=dict(type='LinearHead', num_classes=1000, in_channels=2048),
)
