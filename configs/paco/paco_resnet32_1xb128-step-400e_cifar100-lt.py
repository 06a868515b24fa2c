"""PaCo, CIFAR-100-LT (factor 0.01), ResNet-32, 400 epochs: the authors' setting.

Paper: Cui et al. 2021 (PaCo, arXiv 2107.12028); settings of the authors' code, the order of its
    augmentations recalled. Factors 0.02 and 0.1: --cfg-options imbalance_factor=0.02
Command: python tools/train.py configs/paco/paco_resnet32_1xb128-step-400e_cifar100-lt.py
Hardware: 1 GPU; hours not yet measured.
Expected: top-1 52.0, 56.0 and 64.2 at 0.01, 0.02 and 0.1 (recalled; another page has 50.9 at 0.01).
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/cifar100_lt.py',
    '../_base_/models/paco_resnet32.py',
    '../_base_/schedules/sgd_warm_step_400e.py',
    '../_base_/default_runtime.py',
]
