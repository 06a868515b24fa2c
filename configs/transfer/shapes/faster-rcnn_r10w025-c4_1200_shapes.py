"""Faster R-CNN C4 on generated scenes, the quickstart's network, 1,200 iterations.

Paper: none; the VOC protocol at a small scale.
Command: python tools/train.py configs/transfer/shapes/faster-rcnn_r10w025-c4_1200_shapes.py \\
    --cfg-options pretrained=work_dirs/.../epoch_8.pth
Hardware: 2 CPU cores; TODO-MEASURE.
Expected: AP50 at least 60, and more than from random weights.
Measured: TODO-MEASURE.
"""

_base_ = [
    '../_base_/models/faster-rcnn_r10w025-c4.py',
    '../_base_/datasets/shapes_voc.py',
    '../_base_/schedules/sgd_small.py',
    '../_base_/small_runtime.py',
]
