"""UniCon, CIFAR-10, ResNet-50 with the small-image stem, batch 256, 1,000 epochs.

Paper: Han and Chen 2023 (UniCon, arXiv 2204.10695); views, network, batch, rate and its end,
    warm-up, decay, temperature and lambda of the authors' code. Two things differ: they divide the
    colors by 51 gray levels, not 63; their last batch of an epoch is an incomplete one.
Command: python tools/train.py configs/unicon/unicon_resnet50_1xb256-cosine-1000e_cifar10.py
Hardware: 1 GPU; hours not yet measured.
Expected: none published for this data set; 81.7 on CIFAR-100 (authors' README).
Measured: not yet measured.
"""

_base_ = '../supcon/supcon_resnet50_4xb256-cosine-1000e_cifar10.py'

model = dict(
    view_editors=[dict(type='UniversumMixing')],
    head=dict(_delete_=True, type='UniConHead', temperature=0.1),
)
optim_wrapper = dict(optimizer=dict(lr=0.05))
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.2,
        by_epoch=True,
        begin=0,
        end=10,
        convert_to_iter_based=True,
    ),
    dict(
        type='CosineAnnealingLR',
        T_max='$train_cfg.max_epochs',
        eta_min=5e-5,
        by_epoch=True,
        begin=0,
        end='$train_cfg.max_epochs',
    ),
]
auto_scale_lr = dict(base_batch_size=256)
