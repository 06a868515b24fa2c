"""DCLW, CIFAR-10, ResNet-50 with the small-image stem, 100 epochs of Adam: a public recipe.

Paper: Yeh et al. 2022 (Decoupled Contrastive Learning, arXiv 2110.06848); settings of the same code
    of a third party as the DCL config beside it, with its sigma and a gradient through the weight.
Command: python tools/train.py configs/dcl/dclw_resnet50_1xb256-constant-100e_cifar10.py
Hardware: 1 GPU; hours not yet measured.
Expected: linear probe top-1 82.7 (that code, batch 256, a probe of 100 epochs with Adam).
Measured: not yet measured.
"""

_base_ = 'dcl_resnet50_1xb256-constant-100e_cifar10.py'

model = dict(head=dict(sigma=0.5, detach_weight=False))
