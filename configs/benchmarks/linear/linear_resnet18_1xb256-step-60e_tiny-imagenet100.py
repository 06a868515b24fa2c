"""Linear probe, 100 classes of Tiny ImageNet, ResNet-18 with the small-image stem, 60 epochs.

Paper: none; rate 10 as for ImageNet-100, at batch 256.
Command: python tools/train.py configs/benchmarks/linear/linear_resnet18_1xb256-step-60e_tiny-imagenet100.py \\
    --cfg-options pretrained=work_dirs/.../epoch_200.pth
Hardware: 1 GPU; hours not yet measured.
Expected: none published for this setting.
Measured: not yet measured.
"""

_base_ = [
    '../../_base_/datasets/tiny_imagenet100.py',
    '../../_base_/models/linear_resnet18_small.py',
    '../../_base_/schedules/probe_step_100e.py',
    '../../_base_/default_runtime.py',
]

model = dict(head=dict(num_classes=100))
train_dataloader = dict(drop_last=False, dataset=dict(pipeline='$probe_pipeline'))
val_dataloader = dict(_copy_='query_dataloader')
test_dataloader = dict(_copy_='query_dataloader')
optim_wrapper = dict(optimizer=dict(lr=10.0))
param_scheduler = [dict(type='MultiStepLR', milestones=[30, 40, 50], gamma=0.1, by_epoch=True)]
train_cfg = dict(max_epochs=60)
