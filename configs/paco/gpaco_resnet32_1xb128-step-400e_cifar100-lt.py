"""GPaCo, CIFAR-100-LT (factor 0.01), ResNet-32, 400 epochs: one encoder, both views as anchors.

Paper: Cui et al. 2023 (GPaCo, arXiv 2209.12400); its settings for CIFAR-100-LT are not known, these
    are PaCo's.
Command: python tools/train.py configs/paco/gpaco_resnet32_1xb128-step-400e_cifar100-lt.py
Hardware: 1 GPU; hours not yet measured.
Expected: top-1 52.3, 56.4 and 65.4 at the factors 0.01, 0.02 and 0.1 (recalled).
Measured: not yet measured.
"""

_base_ = './paco_resnet32_1xb128-step-400e_cifar100-lt.py'

model = dict(
    _delete_=True,
    type='InBatchContrast',
    data_preprocessor=dict(
        type='ViewDataPreprocessor', mean=(125.307, 122.950, 113.865), std=(62.993, 62.089, 66.705)
    ),
    backbone=dict(type='CIFARResNet', depth=32),
    neck=dict(type='MLPNeck', in_channels=64, out_channels=32, num_layers=3),
    head=dict(
        type='ParametricContrastHead',
        anchor_views='both',
        num_classes=100,
        in_channels=64,
        alpha=0.01,
        temperature=0.05,
        memory=dict(type='FeatureQueue', length=1024, dim=32),
    ),
)
