"""Mask R-CNN R50-C4 on COCO 2017, 1x (90k iterations): the MoCo transfer protocol.

Paper: He et al. 2020 (MoCo); settings from the MoCo repository's detectron2 configs.
Command: tools/dist_train.sh configs/transfer/coco/mask-rcnn_r50-c4_ms-1x_coco.py 8 \\
    --cfg-options pretrained=work_dirs/.../epoch_200.pth
Hardware: 8 GPUs, 2 images each; hours not yet measured.
Expected: 38.5 box AP, 33.6 mask AP from MoCo after 200 epochs (PyContrast repository).
Measured: not yet measured.
"""

_base_ = [
    '../_base_/models/mask-rcnn_r50-c4.py',
    '../_base_/datasets/coco.py',
    '../_base_/schedules/sgd_1x.py',
    '../_base_/default_runtime.py',
]
