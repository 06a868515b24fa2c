"""Weighted kNN, CIFAR-10, CMC's two quarter-width ResNet-10 of the CPU-sized config.

Paper: Wu et al. 2018 (InstDis) for the weighted vote; features of both encoders, side by side.
Command: python tools/analysis/knn.py configs/benchmarks/knn/knn_cmc-resnet10w025_cifar10-cpu.py \\
    CHECKPOINT --untrained
Hardware: 2 CPU cores; minutes not yet measured.
Expected: that of the pre-training config.
Measured: that of the pre-training config.
"""

_base_ = './knn_resnet18_cifar10.py'

quarter = dict(type='ResNet', depth=10, width=0.25, stem='small')
parts = [dict(quarter, in_channels=1), dict(quarter, in_channels=2)]
model = dict(
    data_preprocessor=dict(_delete_=True, type='ColorSpaceDataPreprocessor', space='lab'),
    backbone=dict(_delete_=True, type='SplitBackbone', backbones='$parts'),
)
