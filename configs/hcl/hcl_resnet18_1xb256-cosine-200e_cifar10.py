"""HCL, CIFAR-10, ResNet-18, 200 epochs on one GPU.

Paper: Robinson et al. 2021 (Contrastive Learning with Hard Negative Samples, arXiv 2010.04592);
    temperature, beta and tau_plus of the authors' code, the rest ours.
Command: python tools/train.py configs/hcl/hcl_resnet18_1xb256-cosine-200e_cifar10.py
Hardware: 1 GPU; hours not yet measured.
Expected: none published for this setting.
Measured: not yet measured.
"""

_base_ = '../debiased/debiased_resnet18_1xb256-cosine-200e_cifar10.py'

model = dict(head=dict(negatives=dict(beta=1.0)))
