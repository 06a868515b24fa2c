"""SimCLR, ImageNet-1K, ResNet-50, batch 4,096, 200 epochs.

Paper: Chen et al. 2020 (SimCLR, arXiv 2002.05709); rate, warm-up, temperature and views as in the
    official repository, weight decay 1e-6 as in the paper (the repository's command has 1e-4).
Command: tools/dist_train.sh \\
    configs/simclr/simclr_resnet50_16xb256-cosine-200e_in1k.py 8
Hardware: 2 nodes of 8 GPUs (NNODES, NODE_RANK and MASTER_ADDR set on each); hours not yet measured.
Expected: linear probe top-1 66.9 (mmpretrain, 200 epochs, batch 4,096).
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/imagenet_simclr.py',
    '../_base_/models/in_batch_resnet50.py',
    '../_base_/schedules/lars_cosine_200e.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(batch_size=256)
