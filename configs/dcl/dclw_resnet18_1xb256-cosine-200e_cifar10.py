"""DCLW, CIFAR-10, ResNet-18, 200 epochs on one GPU.

Paper: Yeh et al. 2022 (Decoupled Contrastive Learning, arXiv 2110.06848); sigma as in public code,
    the rest ours. The public recipe is dclw_resnet50_1xb256-constant-100e_cifar10.
Command: python tools/train.py configs/dcl/dclw_resnet18_1xb256-cosine-200e_cifar10.py
Hardware: 1 GPU; hours not yet measured.
Expected: none published for this setting.
Measured: not yet measured.
"""

_base_ = 'dcl_resnet18_1xb256-cosine-200e_cifar10.py'

model = dict(head=dict(sigma=0.5))
