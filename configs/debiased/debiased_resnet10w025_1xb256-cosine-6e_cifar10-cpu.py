"""Debiased SimCLR, CIFAR-10, a quarter-width ResNet-10, 6 epochs: a real run for two CPU cores.

Paper: Chuang et al. 2020 (Debiased Contrastive Learning, arXiv 2007.00224); temperature and
    tau_plus of the authors' code, which is 1 / 10 for ten classes; network, budget and rate are
    ours, for a CPU.
Command: python tools/train.py \\
    configs/debiased/debiased_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 1 CPU core.
Expected: kNN top-1 (k=20) at least 8 points above the untrained network.
Measured: kNN top-1 (k=20) 43.5, untrained 31.3, at the budget of
    docs/family.md.
"""

_base_ = '../simclr/simclr_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(
    head=dict(temperature=0.5, negatives=dict(type='NegativeEstimator', beta=0.0, tau_plus=0.1))
)
