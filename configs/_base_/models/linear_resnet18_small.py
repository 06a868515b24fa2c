"""A linear classifier on a frozen ResNet-18 with the stem for small images."""

model = dict(
    type='ImageClassifier',
    freeze_backbone=True,
    data_preprocessor=dict(
        type='ViewDataPreprocessor', mean=(125.307, 122.950, 113.865), std=(62.993, 62.089, 66.705)
    ),
    backbone=dict(type='ResNet', depth=18, stem='small'),
    head=dict(type='LinearHead', num_classes=10, in_channels=512),
)
