"""SimCLR on ResNet-18 with the stem for small images: 2-layer projection, temperature 0.5."""

model = dict(
    type='InBatchContrast',
    data_preprocessor=dict(
        type='ViewDataPreprocessor', mean=(125.307, 122.950, 113.865), std=(62.993, 62.089, 66.705)
    ),
    backbone=dict(type='ResNet', depth=18, stem='small'),
    neck=dict(type='MLPNeck', in_channels=512, hidden_channels=512, out_channels=128),
    head=dict(type='NTXentHead', temperature=0.5),
)
