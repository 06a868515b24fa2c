"""Faster R-CNN R50-C4 on VOC 07+12, 24k iterations: the MoCo transfer protocol.

Paper: He et al. 2020 (MoCo); settings from the MoCo repository's detectron2 configs.
Command: tools/dist_train.sh configs/transfer/voc0712/faster-rcnn_r50-c4_ms-24k_voc0712.py 8 \\
    --cfg-options pretrained=work_dirs/.../epoch_200.pth
Hardware: 8 GPUs, 2 images each; hours not yet measured.
Expected: AP50 82.4, AP 57.0, AP75 63.6 from MoCo-v2 after 200 epochs (MoCo repository).
Measured: not yet measured.
"""

_base_ = [
    '../_base_/models/faster-rcnn_r50-c4.py',
    '../_base_/datasets/voc0712.py',
    '../_base_/schedules/sgd_24k.py',
    '../_base_/default_runtime.py',
]
