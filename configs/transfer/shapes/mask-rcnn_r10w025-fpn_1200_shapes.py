"""Mask R-CNN FPN on generated scenes, the quickstart's network, 1,200 iterations.

Paper: none; the COCO protocol at a small scale.
Command: python tools/train.py configs/transfer/shapes/mask-rcnn_r10w025-fpn_1200_shapes.py \\
    --cfg-options pretrained=work_dirs/.../epoch_8.pth
Hardware: 2 CPU cores; TODO-MEASURE.
Expected: mask AP50 at least 50, and more than from random weights.
Measured: TODO-MEASURE.
"""

_base_ = [
    '../_base_/models/mask-rcnn_r10w025-fpn.py',
    '../_base_/datasets/shapes_coco.py',
    '../_base_/schedules/sgd_small.py',
    '../_base_/small_runtime.py',
]
