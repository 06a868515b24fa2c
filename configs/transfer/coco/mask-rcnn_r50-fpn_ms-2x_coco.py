"""Mask R-CNN R50-FPN on COCO 2017, 2x (180k iterations): the MoCo transfer protocol.

Paper: He et al. 2020 (MoCo); settings from the MoCo repository's detectron2 configs.
Command: tools/dist_train.sh configs/transfer/coco/mask-rcnn_r50-fpn_ms-2x_coco.py 8 \\
    --cfg-options pretrained=work_dirs/.../epoch_200.pth
Hardware: 8 GPUs, 2 images each; hours not yet measured.
Expected: no published figure was checked.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/models/mask-rcnn_r50-fpn.py',
    '../_base_/datasets/coco.py',
    '../_base_/schedules/sgd_2x.py',
    '../_base_/default_runtime.py',
]
