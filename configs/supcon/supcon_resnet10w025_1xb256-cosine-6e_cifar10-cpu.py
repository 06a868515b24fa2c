"""SupCon, CIFAR-10, a quarter-width ResNet-10, 6 epochs: a real run for two CPU cores.

Paper: Khosla et al. 2020 (SupCon, arXiv 2004.11362); network, budget and rate are ours, for a CPU.
Command: python tools/train.py \\
    configs/supcon/supcon_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 1 CPU core.
Expected: kNN top-1 (k=20) at least 20 points above the untrained network.
Measured: kNN top-1 (k=20) 53.1, untrained 31.3, at the budget of
    docs/family.md.
"""

_base_ = '../simclr/simclr_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(head=dict(type='SupConHead', temperature=0.1))
