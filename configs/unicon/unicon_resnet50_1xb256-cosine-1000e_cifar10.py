"""UniCon, CIFAR-10, ResNet-50 with the small-image stem, batch 256, 1,000 epochs.

Paper: Han and Chen 2023 (UniCon, arXiv 2204.10695); views, network, batch, rate and its end,
    warm-up, decay, temperature and lambda of the authors' code. Two things differ: they divide the
    colors by 51 gray levels, not 63; their last batch of an epoch is an incomplete one.
Command: python tools/train.py configs/unicon/unicon_resnet50_1xb256-cosine-1000e_cifar10.py
Hardware: 1 GPU; hours not yet measured.
Expected: none published for this data set; 81.7 on CIFAR-100 (authors' README).
Measured: not yet measured.
"""

_base_ = ['../_base_/datasets/cifar10.py', '_base_/unicon_resnet50.py']

train_dataloader = dict(num_workers=8)
