"""UniCon, CIFAR-10, a quarter-width ResNet-10, 6 epochs: a real run for two CPU cores.

Paper: Han and Chen 2023 (UniCon, arXiv 2204.10695); lambda of the authors' code; network, budget,
    rate and temperature are ours, for a CPU: at their 0.1 little is learned in so few steps.
Command: python tools/train.py \\
    configs/unicon/unicon_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 1 CPU core.
Expected: kNN top-1 (k=20) at least 20 points above the untrained network.
Measured: kNN top-1 (k=20) 49.7, untrained 31.3, at the budget of
    docs/family.md.
"""

_base_ = '../supcon/supcon_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(
    view_editors=[dict(type='UniversumMixing')],
    head=dict(type='UniConHead', temperature=0.5),
)
