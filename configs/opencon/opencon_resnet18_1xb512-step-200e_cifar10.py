"""OpenCon, CIFAR-10 with 5 known classes, ResNet-18, 200 epochs on one GPU.

Paper: Sun and Li 2023 (OpenCon, TMLR, arXiv 2208.02764); the settings of the authors' command:
    batch 512, rate 0.02 divided by ten at 100 and 150, from SimCLR weights.
Command: python tools/train.py configs/opencon/opencon_resnet18_1xb512-step-200e_cifar10.py \\
    --cfg-options 'load_partial=[backbone,neck]' \\
    load_from=work_dirs/simclr_resnet18_1xb512-cosine-1000e_cifar10/epoch_1000.pth
Hardware: 1 GPU; hours not yet measured.
Expected: accuracy on all classes 90.4, transductive (a public benchmark page, not the paper).
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/cifar10_open_world.py',
    '../_base_/models/in_batch_resnet18_small.py',
    '../_base_/default_runtime.py',
]

model = dict(
    channels_last=True,
    neck=dict(num_layers=3, norm='all'),  # that of the SimCLR config
    head=dict(
        _delete_=True,
        type='OpenConHead',
        num_classes=10,
        num_known='$num_known',
        labeled_share='$labeled_share',
        in_channels=128,
    ),
)
train_dataloader = dict(batch_size=512, num_workers=12)
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.02, momentum=0.9, weight_decay=5e-4)
)
param_scheduler = [
    dict(
        type='MultiStepLR',
        milestones=[100, 150],
        gamma=0.1,
        by_epoch=True,
        begin=0,
        end='$train_cfg.max_epochs',
    )
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=200, val_interval=10)
auto_scale_lr = dict(base_batch_size=512, enable=False)
