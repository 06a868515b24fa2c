"""Faster R-CNN C4 on blood-cell photographs (BCCD), the quickstart's network, 600 iterations.

For any folder in VOC layout: copy this file, change classes, num_classes, data_root and the scale.

Paper: none; the VOC protocol at a small scale, photographs at half size.
Command: python tools/train.py configs/transfer/bccd/faster-rcnn_r10w025-c4_600_bccd.py \\
    --cfg-options data_root=/data/bccd/ pretrained=work_dirs/.../epoch_24.pth
Hardware: one CPU core; 5.5 minutes with other work beside it (Intel Xeon).
Expected: AP50 well over zero on the test split.
Measured: AP50 72.2, AP 45.2, AP75 51.5 from the quickstart's MoCHi weights (white cells 97.4, red
    79.9, platelets 39.2); AP50 75.8, AP 48.0, AP75 52.4 from random weights, one run each.
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
