"""Mask R-CNN FPN on generated scenes, the quickstart's network, 800 iterations.

Paper: none; the COCO protocol at a small scale.
Command: python tools/train.py configs/transfer/shapes/mask-rcnn_r10w025-fpn_800_shapes.py \\
    --cfg-options pretrained=work_dirs/.../epoch_24.pth
Hardware: one CPU core; 5 to 13 minutes, the less the quieter the machine (Intel Xeon).
Expected: mask AP50 at least 50, and more than from random weights.
Measured: mask AP50 57.5, box AP50 68.2 from the quickstart's MoCHi weights; 48.6, 61.1 from
    random weights, one run each.
"""

_base_ = [
    '../_base_/models/mask-rcnn_r10w025-fpn.py',
    '../_base_/datasets/shapes_coco.py',
    '../_base_/schedules/sgd_small.py',
    '../_base_/small_runtime.py',
]
