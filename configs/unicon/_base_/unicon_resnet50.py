"""UniCon on ResNet-50 with the small-image stem, 1,000 epochs: network, objective and rate."""

_base_ = [
    '../../_base_/models/in_batch_resnet18_small.py',
    '../../_base_/schedules/sgd_warm_cosine_1000e.py',
    '../../_base_/default_runtime.py',
]

model = dict(
    channels_last=True,
    view_editors=[dict(type='UniversumMixing')],
    backbone=dict(depth=50),
    neck=dict(in_channels=2048, hidden_channels=2048),
    head=dict(type='UniConHead', temperature=0.1),
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
