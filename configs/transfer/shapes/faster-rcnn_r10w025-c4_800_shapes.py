"""Faster R-CNN C4 on generated scenes, the quickstart's network, 800 iterations.

Paper: none; the VOC protocol at a small scale.
Command: python tools/train.py configs/transfer/shapes/faster-rcnn_r10w025-c4_800_shapes.py \\
    --cfg-options pretrained=work_dirs/.../epoch_24.pth
Hardware: one CPU core; 3 to 5 minutes with other work beside it (Intel Xeon).
Expected: AP50 at least 60, and more than from random weights.
Measured: AP50 69.6, AP 42.3, AP75 46.7 from the quickstart's MoCHi weights; 59.2, 34.4, 35.7 from
    random weights, one run each.
"""

_base_ = [
    '../_base_/models/faster-rcnn_r10w025-c4.py',
    '../_base_/datasets/shapes_voc.py',
    '../_base_/schedules/sgd_small.py',
    '../_base_/small_runtime.py',
]
