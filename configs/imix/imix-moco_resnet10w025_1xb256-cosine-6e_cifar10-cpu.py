"""i-Mix in MoCo form, CIFAR-10, a quarter-width ResNet-10, 6 epochs: a real run for two CPU cores.

Paper: Lee et al., ICLR 2021 (i-Mix, arXiv 2010.08887); network, budget and rate are ours, for a
    CPU.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/imix/imix-moco_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 1 CPU core.
Expected: kNN top-1 (k=20) at least 8 points above the untrained network.
Measured: kNN top-1 (k=20) 42.3, untrained 31.3, at the budget of
    docs/family.md.
"""

_base_ = '../mocov2/mocov2_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(
    head=dict(batch_keys=True),
    view_editors=[dict(type='InstanceMix')],
)
