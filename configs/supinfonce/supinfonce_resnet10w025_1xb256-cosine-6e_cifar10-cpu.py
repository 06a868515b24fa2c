"""Epsilon-SupInfoNCE, CIFAR-10, a quarter-width ResNet-10, 6 epochs: a real run for two CPU cores.

Paper: Barbano et al. 2023 (arXiv 2211.05568); network, budget and rate are ours, for a CPU.
Command: python tools/train.py \\
    configs/supinfonce/supinfonce_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 1 CPU core.
Expected: kNN top-1 (k=20) at least 20 points above the untrained network.
Measured: kNN top-1 (k=20) 58.2, untrained 31.3, at the budget of
    docs/family.md.
"""

_base_ = '../simclr/simclr_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(head=dict(type='SupInfoNCEHead', margin=0.25, temperature=0.1))
