"""OpenCon, ImageNet-100 with 50 known classes, ResNet-50 trained in its last stage, 120 epochs.

Paper: Sun and Li 2023 (OpenCon, TMLR, arXiv 2208.02764); the settings of the authors' command:
    batch 512, rate 0.01 divided by ten at 60 and 90, temperature 0.6 for unlabeled images, the last
    stage alone trained, from contrastive weights.
Command: python tools/train.py configs/opencon/opencon_resnet50_1xb512-step-120e_in100.py \\
    --cfg-options load_from=CHECKPOINT 'load_partial=[backbone]'
Hardware: 1 GPU; hours not yet measured.
Expected: accuracy on all classes about 84, transductive (a public benchmark page, not the paper).
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/imagenet100.py',
    '../_base_/open_world.py',
    '../_base_/models/in_batch_resnet50.py',
    '../_base_/default_runtime.py',
]

num_known = 50

source_images = dict(
    type='ImageFolder',
    data_root='$data_root',
    split='train',
    classes='imagenet100',
    index_cache='work_dirs/index/imagenet100_train.json',
)
model = dict(
    channels_last=True,
    backbone=dict(frozen_stages=3),
    head=dict(
        _delete_=True,
        type='OpenConHead',
        num_classes=100,
        num_known='$num_known',
        labeled_share='$labeled_share',
        in_channels=128,
        temperatures=(0.6, 0.1, 0.7),
    ),
)
train_dataloader = dict(
    batch_size=512,
    num_workers=12,
    sampler=dict(_delete_=True, type='TwoStreamSampler'),
    dataset=dict(
        _delete_=True,
        type='OpenWorld',
        dataset='$source_images',
        num_known='$num_known',
        labeled_share='$labeled_share',
        pipeline='$train_pipeline',
    ),
)
unlabeled_dataloader = dict(batch_size=256, num_workers=12)
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=1e-4)
)
param_scheduler = [
    dict(
        type='MultiStepLR',
        milestones=[60, 90],
        gamma=0.1,
        by_epoch=True,
        begin=0,
        end='$train_cfg.max_epochs',
    )
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=120, val_interval=10)
auto_scale_lr = dict(base_batch_size=512, enable=False)
