"""MoCo-v2, ImageNet-1K, ResNet-50, 200 epochs.

Paper: Chen et al. 2020, Improved Baselines with Momentum Contrastive Learning (arXiv 2003.04297).
Command: tools/dist_train.sh configs/mocov2/mocov2_resnet50_8xb32-cosine-200e_in1k.py 8
Hardware: 8 GPUs; hours not yet measured.
Expected: linear probe top-1 67.5 +- 0.1 (official repository, 5 runs).
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/imagenet.py',
    '../_base_/models/moco_resnet50.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]
