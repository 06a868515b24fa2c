"""Weighted kNN, CIFAR-10, the quarter-width ResNet-10 of the CPU-sized configs.

Paper: Wu et al. 2018 (InstDis) for the weighted vote; features are pooled backbone features.
Command: python tools/analysis/knn.py configs/benchmarks/knn/knn_resnet10w025_cifar10-cpu.py \\
    CHECKPOINT --untrained
Hardware: 2 CPU cores; about a minute.
Expected: that of the pre-training config.
Measured: that of the pre-training config.
"""

_base_ = './knn_resnet18_cifar10.py'

model = dict(backbone=dict(depth=10, width=0.25))
