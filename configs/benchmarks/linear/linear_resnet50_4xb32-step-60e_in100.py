"""Linear probe, ImageNet-100, ResNet-50: rate 10 at batch 128, 60 epochs, steps at 30, 40, 50.

Paper: the protocol of Kalantidis et al. 2020 as recalled; the factor of the steps is not confirmed
    against the paper (0.1 here, as in code built on MoCo's; CMC's code uses 0.2).
Command: tools/dist_train.sh configs/benchmarks/linear/linear_resnet50_4xb32-step-60e_in100.py 4 \\
    --cfg-options pretrained=work_dirs/.../epoch_200.pth
Hardware: 4 GPUs; hours not yet measured.
Expected: that of the pre-training config.
Measured: not yet measured.
"""

_base_ = [
    '../../_base_/datasets/imagenet100.py',
    '../../_base_/models/linear_resnet50.py',
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
auto_scale_lr = dict(base_batch_size=128)
