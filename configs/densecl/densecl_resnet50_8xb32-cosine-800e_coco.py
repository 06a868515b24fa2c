"""DenseCL, images of COCO train2017, ResNet-50, 800 epochs.

Paper: Wang et al., Dense Contrastive Learning for Self-Supervised Visual Pre-Training, CVPR 2021
    (arXiv 2011.09157); settings of the authors' configs: ten times the rate of ImageNet.
Command: tools/dist_train.sh configs/densecl/densecl_resnet50_8xb32-cosine-800e_coco.py 8
Hardware: 8 GPUs; hours not yet measured.
Expected: VOC detection AP 56.7 (authors' README, 5 runs).
Measured: not yet measured.
"""

_base_ = 'densecl_resnet50_8xb32-cosine-200e_in1k.py'

train_dataloader = dict(
    dataset=dict(
        data_root='data/coco',
        split='train2017',
        classes=[],
        index_cache='work_dirs/index/coco_train2017.json',
    )
)
optim_wrapper = dict(optimizer=dict(lr=0.3))
train_cfg = dict(max_epochs=800)
