"""SupCon's second stage on CIFAR-10: cross-entropy on the frozen encoder, the linear probe.

Paper: Khosla et al. 2020 (SupCon, arXiv 2004.11362); rate 5 of the authors' PyTorch code; batch,
    length and drops of the rate are recalled.
Command: python tools/train.py \\
    configs/supcon/supcon-linear_resnet50_1xb512-step-100e_cifar10.py \\
    --cfg-options pretrained=work_dirs/.../epoch_1000.pth
Hardware: 1 GPU; hours not yet measured.
Expected: that of the pre-training config.
Measured: not yet measured.
"""

_base_ = '../benchmarks/linear/linear_resnet18_1xb256-step-60e_cifar10.py'

model = dict(backbone=dict(depth=50), head=dict(in_channels=2048))
train_dataloader = dict(batch_size=512)
optim_wrapper = dict(optimizer=dict(lr=5.0))
param_scheduler = [dict(type='MultiStepLR', milestones=[60, 75, 90], gamma=0.2, by_epoch=True)]
train_cfg = dict(max_epochs=100)
auto_scale_lr = dict(base_batch_size=512)
