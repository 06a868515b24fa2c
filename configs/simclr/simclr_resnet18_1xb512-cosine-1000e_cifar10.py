"""SimCLR, CIFAR-10, ResNet-18, 1,000 epochs on one GPU.

Paper: Chen et al. 2020 (SimCLR, arXiv 2002.05709); batch, weight decay, temperature and warm-up of
    the official repository's CIFAR-10 command, and its rate: 1.0 for each 256 images, 2.0 here. Not
    its crops, which begin at 0.08 (0.2 here), nor its projection of three layers (two here).
Command: python tools/train.py configs/simclr/simclr_resnet18_1xb512-cosine-1000e_cifar10.py
Hardware: 1 GPU; hours not yet measured.
Expected: linear probe top-1 about 91 (official repository).
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/cifar10.py',
    '../_base_/models/in_batch_resnet18_small.py',
    '../_base_/schedules/lars_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = dict(channels_last=True, neck=dict(norm='all'))
train_dataloader = dict(batch_size=512, num_workers=12)
optim_wrapper = dict(optimizer=dict(lr=2.0, weight_decay=1e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-4, end=10, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', T_max=990, begin=10, end=1000, convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=1000)
auto_scale_lr = dict(base_batch_size=512)
