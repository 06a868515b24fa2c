"""DenseCL, images of COCO train2017, ResNet-50, 800 epochs.

Paper: Wang et al., Dense Contrastive Learning for Self-Supervised Visual Pre-Training, CVPR 2021
    (arXiv 2011.09157); settings of the authors' configs: ten times the rate of ImageNet.
Command: tools/dist_train.sh configs/densecl/densecl_resnet50_8xb32-cosine-800e_coco.py 8
Hardware: 8 GPUs; hours not yet measured.
Expected: VOC detection AP 56.7 (authors' README, 5 runs).
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/coco.py',
    '../_base_/models/densecl_resnet50.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

optim_wrapper = dict(optimizer=dict(lr=0.3))
train_cfg = dict(max_epochs=800)
