"""SupCon, ImageNet-1K, ResNet-50, batch 6,144, 350 epochs.

Paper: Khosla et al. 2020 (SupCon, arXiv 2004.11362); optimiser, decay, temperature, warm-up and a
    projection of one layer as in the official scripts. Three things differ: their rate 0.4 is taken
    as that of batch 256 and scaled linearly (recalled), their views are AutoAugment's, and they
    normalise the features before the projection.
Command: tools/dist_train.sh \\
    configs/supcon/supcon_resnet50_24xb256-cosine-350e_in1k.py 8
Hardware: 3 nodes of 8 GPUs (NNODES, NODE_RANK and MASTER_ADDR set on each); hours not yet measured.
Expected: linear classifier top-1 78.7 with AutoAugment (paper, table 1).
Measured: not yet measured.
"""

_base_ = '../simclr/simclr_resnet50_16xb256-cosine-200e_in1k.py'

model = dict(
    neck=dict(num_layers=1, norm=None),
    head=dict(type='SupConHead', base_temperature=1.0),
)
optim_wrapper = dict(optimizer=dict(lr=9.6, weight_decay=1e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-4, end=12, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', T_max=338, begin=12, end=350, convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=350)
auto_scale_lr = dict(base_batch_size=6144)
