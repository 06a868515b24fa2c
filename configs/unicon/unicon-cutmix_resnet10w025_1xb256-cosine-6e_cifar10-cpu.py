"""UniCon with a universum of CutMix, CIFAR-10, a quarter-width ResNet-10, for two CPU cores.

Paper: Han and Chen 2023 (UniCon, arXiv 2204.10695); an option of the authors' code; network, budget,
    rate and temperature are ours, for a CPU.
Command: python tools/train.py \\
    configs/unicon/unicon-cutmix_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 1 CPU core.
Expected: kNN top-1 (k=20) at least 20 points above the untrained network.
Measured: kNN top-1 (k=20) 47.9, untrained 31.3, at the budget of
    docs/family.md.
"""

_base_ = 'unicon_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(view_editors=[dict(type='UniversumMixing', mode='cutmix')])
