"""UniCon, CIFAR-100, ResNet-18 with the small-image stem, batch 256, 1,000 epochs: the authors'.

Paper: Han and Chen 2023 (UniCon, arXiv 2204.10695); as the config with ResNet-50.
Command: python tools/train.py configs/unicon/unicon_resnet18_1xb256-cosine-1000e_cifar100.py
Hardware: 1 GPU; hours not yet measured.
Expected: linear classifier top-1 79.2 (authors' README).
Measured: not yet measured.
"""

_base_ = 'unicon_resnet50_1xb256-cosine-1000e_cifar100.py'

model = dict(backbone=dict(depth=18), neck=dict(in_channels=512, hidden_channels=512))
