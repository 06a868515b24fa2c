"""MoCo-v2 on generated scenes, a quarter-width ResNet-10: the quickstart.

Paper: Chen et al. 2020 (arXiv 2003.04297); network, budget and temperature are ours.
Command: python tools/train.py configs/mocov2/mocov2_resnet10w025_1xb128-quickstart_shapes.py
Hardware: 2 CPU cores; TODO-MEASURE.
Expected: kNN and linear top-1 at least 5 points above the untrained network.
Measured: TODO-MEASURE.
"""

_base_ = [
    '../_base_/datasets/shapes.py',
    '../_base_/models/moco_resnet18_small.py',
    '../_base_/default_runtime.py',
]

model = dict(
    channels_last=True,
    num_splits=4,
    backbone=dict(depth=10, width=0.25),
    neck=dict(in_channels=128, hidden_channels=128, out_channels=64),
    head=dict(temperature=0.1, memory=dict(length=1024, dim=64)),
)
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=5e-4)
)
param_scheduler = [
    dict(
        type='CosineAnnealingLR',
        T_max=12,
        by_epoch=True,
        begin=0,
        end=12,
        convert_to_iter_based=True,
    )
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=12)
auto_scale_lr = dict(base_batch_size=128, enable=False)
default_hooks = dict(logger=dict(interval=10))
custom_hooks = [
    dict(
        type='KNNHook',
        interval=4,
        at_start=True,
        bank_dataloader={{_base_.bank_dataloader}},
        query_dataloader={{_base_.query_dataloader}},
    )
]
