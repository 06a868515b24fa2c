"""UniCon, CIFAR-100, ResNet-50 with the small-image stem, batch 256, 1,000 epochs: the authors'.

Paper: Han and Chen 2023 (UniCon, arXiv 2204.10695); views, colors, network, batch, rate and its
    end, warm-up, decay, temperature and lambda of the authors' code. One thing differs: their last
    batch of an epoch is an incomplete one.
Command: python tools/train.py configs/unicon/unicon_resnet50_1xb256-cosine-1000e_cifar100.py
Hardware: 1 GPU; hours not yet measured.
Expected: linear classifier top-1 81.7 (authors' README).
Measured: not yet measured.
"""

_base_ = ['../_base_/datasets/cifar100.py', '_base_/unicon_resnet50.py']

model = dict(data_preprocessor=dict(mean=(129.311, 124.109, 112.404), std=(68.213, 65.408, 70.406)))
train_dataloader = dict(num_workers=8)
