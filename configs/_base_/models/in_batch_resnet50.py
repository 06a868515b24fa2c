"""SimCLR on ResNet-50: 2-layer projection to 128 with batch norm, temperature 0.1."""

model = dict(
    type='InBatchContrast',
    data_preprocessor=dict(
        type='ViewDataPreprocessor', mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)
    ),
    backbone=dict(type='ResNet', depth=50, zero_init_residual=True),
    neck=dict(type='MLPNeck', in_channels=2048, hidden_channels=2048, out_channels=128, norm='all'),
    head=dict(type='NTXentHead', temperature=0.1),
)
# Batch norms see the views of all ranks.
sync_bn = 'torch'
