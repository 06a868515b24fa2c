"""DCLW, CIFAR-10, a quarter-width ResNet-10, 6 epochs: a real run for two CPU cores.

Paper: Yeh et al. 2022 (Decoupled Contrastive Learning, arXiv 2110.06848); network, budget, rate and
    temperature are ours, for a CPU.
Command: python tools/train.py \\
    configs/dcl/dclw_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 1 CPU core.
Expected: kNN top-1 (k=20) at least 8 points above the untrained network.
Measured: kNN top-1 (k=20) 47.0, untrained 31.3, at the budget of
    docs/family.md.
"""

_base_ = '../simclr/simclr_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(head=dict(type='DecoupledHead', temperature=0.2, sigma=0.5))
