"""HCL, CIFAR-10, a quarter-width ResNet-10, 6 epochs: a real run for two CPU cores.

Paper: Robinson et al. 2021 (Contrastive Learning with Hard Negative Samples, arXiv 2010.04592);
    temperature, beta and tau_plus of the authors' code; network, budget and rate are ours, for a
    CPU.
Command: python tools/train.py configs/hcl/hcl_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 1 CPU core.
Expected: kNN top-1 (k=20) at least 8 points above the untrained network.
Measured: kNN top-1 (k=20) 49.1, untrained 31.3, at the budget of
    docs/family.md.
"""

_base_ = '../debiased/debiased_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(head=dict(negatives=dict(beta=1.0)))
