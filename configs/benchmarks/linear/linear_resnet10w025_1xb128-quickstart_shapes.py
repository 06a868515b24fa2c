"""Linear probe on generated scenes, the quickstart's quarter-width ResNet-10, 10 epochs.

Paper: none; rate 10 as for ImageNet-100, no augmentation.
Command: python tools/train.py \\
    configs/benchmarks/linear/linear_resnet10w025_1xb128-quickstart_shapes.py \\
    --cfg-options pretrained=work_dirs/.../epoch_24.pth
Hardware: 2 CPU cores; seconds.
Expected: that of the pre-training config.
Measured: that of the pre-training config.
"""

_base_ = [
    '../../_base_/datasets/shapes.py',
    '../../_base_/models/linear_resnet18_small.py',
    '../../_base_/schedules/probe_step_100e.py',
    '../../_base_/default_runtime.py',
]

model = dict(backbone=dict(depth=10, width=0.25, stem='imagenet'), head=dict(in_channels=128))
train_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    drop_last=False,
    dataset=dict(pipeline='$eval_pipeline'),
)
val_dataloader = dict(_copy_='query_dataloader')
test_dataloader = dict(_copy_='query_dataloader')
optim_wrapper = dict(optimizer=dict(lr=1.0))
param_scheduler = [dict(type='MultiStepLR', milestones=[6, 8], gamma=0.1, by_epoch=True)]
train_cfg = dict(max_epochs=10, val_interval=10)
auto_scale_lr = dict(base_batch_size=128)
