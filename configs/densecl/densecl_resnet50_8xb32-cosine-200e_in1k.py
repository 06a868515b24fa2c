"""DenseCL, ImageNet-1K, ResNet-50, 200 epochs.

Paper: Wang et al., Dense Contrastive Learning for Self-Supervised Visual Pre-Training, CVPR 2021
    (arXiv 2011.09157); settings of the authors' configs.
Command: tools/dist_train.sh configs/densecl/densecl_resnet50_8xb32-cosine-200e_in1k.py 8
Hardware: 8 GPUs; hours not yet measured.
Expected: VOC detection AP 58.7 (authors' README, 5 runs), linear probe top-1 63.5 (mmpretrain).
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/imagenet.py',
    '../_base_/models/densecl_resnet50.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]
