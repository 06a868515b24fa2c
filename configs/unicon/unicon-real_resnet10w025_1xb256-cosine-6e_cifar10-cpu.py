"""UniCon with the universum as further negatives of SupCon, CIFAR-10, ResNet-10, for two CPU cores.

Paper: Han and Chen 2023 (UniCon, arXiv 2204.10695), as its abstract may be read; the authors' code
    compares with the universum alone. Network, budget, rate and temperature are ours.
Command: python tools/train.py \\
    configs/unicon/unicon-real_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 1 CPU core.
Expected: kNN top-1 (k=20) at least 20 points above the untrained network.
Measured: kNN top-1 (k=20) 55.1, untrained 31.3, at the budget of
    docs/family.md.
"""

_base_ = 'unicon_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(head=dict(key_source='real+universum'))
