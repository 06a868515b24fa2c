"""Deep Bregman divergence, CIFAR-10, a quarter-width ResNet-10, 6 epochs: for two CPU cores.

Paper: Rezaei et al. (arXiv 2109.07455); network, sub-networks, budget, rate and temperature are
    ours, for a CPU.
Command: python tools/train.py \\
    configs/bregman/bregman_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 1 CPU core.
Expected: kNN top-1 (k=20) at least 8 points above the untrained network.
Measured: kNN top-1 (k=20) 47.1, untrained 31.3, at the budget of
    docs/family.md; by the learned similarity 20.2.
"""

_base_ = '../simclr/simclr_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(head=dict(type='BregmanHead', num_subnets=50, hidden_channels=64))
