"""MoCHi (256, 128, 64) on i-Mix's queries, CIFAR-10, a quarter-width ResNet-10, 6 epochs.

Paper: Lee et al., ICLR 2021, with Kalantidis et al., NeurIPS 2020; the combination is ours.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/imix/imix-mochi-256-128-64_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 1 CPU core.
Expected: kNN top-1 (k=20) at least 8 points above the untrained network.
Measured: kNN top-1 (k=20) 43.3, untrained 31.3, at the budget of
    docs/family.md.
"""

_base_ = '../mochi/mochi-256-128-64_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(view_editors=[dict(type='InstanceMix')])
