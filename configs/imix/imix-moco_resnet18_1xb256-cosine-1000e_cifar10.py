"""i-Mix in MoCo form, CIFAR-10, ResNet-18, 1,000 epochs.

Paper: Lee et al., ICLR 2021 (i-Mix, arXiv 2010.08887); settings of the authors' code (kibok90/imix)
    on a smaller network. They train a ResNet-50 for 1,000 to 4,000 epochs.
Command: python tools/train.py configs/imix/imix-moco_resnet18_1xb256-cosine-1000e_cifar10.py
Hardware: 1 GPU; hours not yet measured.
Expected: no figure for these settings was read at its source.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/cifar10.py',
    '../_base_/models/moco_resnet18_small.py',
    '../_base_/schedules/sgd_warm_cosine_1000e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    channels_last=True,
    ema_decay=0.999,
    neck=dict(norm='hidden'),
    head=dict(batch_keys=True),
    view_editors=[dict(type='InstanceMix', kind='mixup', alpha=1.0)],
)
train_dataloader = dict(batch_size=256, num_workers=12)
optim_wrapper = dict(optimizer=dict(lr=0.125))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, end=10, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR', T_max='$train_cfg.max_epochs', end='$train_cfg.max_epochs',
        eta_min=1.25e-4,
    ),
]  # fmt: skip
auto_scale_lr = dict(base_batch_size=256)
