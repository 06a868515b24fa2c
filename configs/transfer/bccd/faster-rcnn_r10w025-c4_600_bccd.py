"""Faster R-CNN C4 on blood-cell photographs (BCCD), the quickstart's network, 600 iterations.

For any folder in VOC layout: copy this file, change classes, num_classes, data_root and the scale.

Paper: none; the VOC protocol at a small scale, photographs at half size.
Command: python tools/train.py configs/transfer/bccd/faster-rcnn_r10w025-c4_600_bccd.py \\
    --cfg-options data_root=/data/bccd/ pretrained=work_dirs/.../epoch_24.pth
Hardware: one CPU core; 4 minutes.
Expected: AP50 well over zero on the test split.
Measured: AP50 64.7, AP 38.6, AP75 45.5 from the quickstart's MoCHi weights (white cells 96.0, red 77.3,
    platelets 20.7), one run.
"""

_base_ = [
    '../_base_/models/faster-rcnn_r10w025-c4.py',
    '../_base_/datasets/bccd.py',
    '../_base_/schedules/sgd_small.py',
    '../_base_/small_runtime.py',
]

model = dict(
    roi_head=dict(bbox_head=dict(num_classes=3)), train_cfg=dict(rcnn=dict(sampler=dict(num=64)))
)
optim_wrapper = dict(optimizer=dict(lr=0.05))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=50),
    dict(type='MultiStepLR', milestones=[450, 550], gamma=0.1, by_epoch=False),
]
train_cfg = dict(max_iters=600, val_interval=300)
auto_scale_lr = dict(base_batch_size=4)
default_hooks = dict(checkpoint=dict(interval=300))
