"""MoCo-v2 with the class oracle in the loss, CIFAR-10, a quarter-width ResNet-10, 6 epochs.

Paper: Kalantidis et al., NeurIPS 2020 (2010.01028), class oracle; an upper bound that uses labels.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/mocov2/mocov2_resnet10w025_1xb256-cosine-6e_cifar10-cpu-oracle.py
Hardware: 2 CPU cores; minutes as for the config without the oracle.
Expected: above the config without the oracle.
Measured: not yet measured.
"""

_base_ = './mocov2_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(head=dict(oracle_loss=True))
