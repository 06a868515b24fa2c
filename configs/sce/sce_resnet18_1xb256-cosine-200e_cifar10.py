"""SCE, CIFAR-10, ResNet-18, 200 epochs.

Paper: Denize et al., WACV 2023 (arXiv 2111.14585); settings of the authors' code (CEA-LIST/SCE).
Command: python tools/train.py configs/sce/sce_resnet18_1xb256-cosine-200e_cifar10.py
Hardware: 1 GPU; hours not yet measured.
Expected: no figure for these settings was read at its source.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/cifar10.py',
    '../_base_/models/moco_resnet18_small.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    type='MoCo',
    neck=dict(norm='hidden'),
    head=dict(
        type='SoftContrastiveHead',
        temperature=0.1,
        key_temperature=0.05,
        own_weight=0.5,
        own_slot='zero',
    ),
)
weak_view = [dict(type='RandomResizedCrop', size=32), dict(type='RandomFlip', prob=0.5)]
strong_view = [
    dict(type='RandomResizedCrop', size=32),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    dict(type='RandomGrayscale', prob=0.2),
    dict(type='GaussianBlur', sigma=(0.1, 2.0), prob=0.5),
    dict(type='RandomFlip', prob=0.5),
]
views = dict(type='MultiView', transforms=['$strong_view', '$weak_view'], num_views=[1, 1])
train_dataloader = dict(
    batch_size=256, num_workers=12, dataset=dict(pipeline=['$views', dict(type='PackInputs')])
)
optim_wrapper = dict(optimizer=dict(lr=0.06, weight_decay=5e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, end=5, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        T_max='$train_cfg.max_epochs - 5',
        begin=5,
        end='$train_cfg.max_epochs',
        convert_to_iter_based=True,
    ),
]
