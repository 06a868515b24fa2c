"""MoCo-v2 on generated scenes, a quarter-width ResNet-10, 24 epochs: the quickstart.

Paper: Chen et al. 2020 (arXiv 2003.04297); network, budget and temperature are ours. What a run of
    750 steps needs: a batch norm in the neck and a key encoder that follows quickly.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/mocov2/mocov2_resnet10w025_1xb128-quickstart_shapes.py
Hardware: one hardware thread, both methods side by side on two; 3.0 minutes (Intel Xeon).
Expected: kNN and linear top-1 at least 5 points above the untrained network.
Measured: kNN top-1 (k=20) 50.9, untrained 20.4; linear top-1 59.4, untrained 22.6.
"""

_base_ = [
    '../_base_/datasets/shapes.py',
    '../_base_/models/moco_resnet18_small.py',
    '../_base_/default_runtime.py',
]

model = dict(
    channels_last=True,
    ema_decay=0.95,
    batch_shuffle='none',
    backbone=dict(depth=10, width=0.25, stem='imagenet'),
    neck=dict(in_channels=128, hidden_channels=128, out_channels=64, norm='all', last_affine=False),
    head=dict(temperature=0.2, memory=dict(length=1024, dim=64)),
)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.05, momentum=0.9, weight_decay=5e-4),
    clip_grad=dict(max_norm=1.0),  # the first gradients have norms of 6 to 7
)
param_scheduler = [
    dict(
        type='CosineAnnealingLR',
        T_max='$train_cfg.max_epochs',
        by_epoch=True,
        begin=0,
        end='$train_cfg.max_epochs',
        convert_to_iter_based=True,
    )
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=24)
auto_scale_lr = dict(base_batch_size=128, enable=False)
default_hooks = dict(logger=dict(interval=10))
custom_hooks = [
    dict(
        type='KNNHook',
        interval=4,
        at_start=True,
        bank_dataloader='$bank_dataloader',
        query_dataloader='$query_dataloader',
    )
]
