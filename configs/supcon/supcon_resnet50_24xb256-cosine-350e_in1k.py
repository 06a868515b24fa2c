"""SupCon, ImageNet-1K, ResNet-50, batch 6,144, 350 epochs.

Paper: Khosla et al. 2020 (SupCon, arXiv 2004.11362); optimizer, decay, temperature, warm-up,
    AutoAugment as the only change of color, and a projection of one layer on features of unit
    length, as in the official scripts; rate 0.4 for each 256 images, 9.6 here. The policy is
    torchvision's for ImageNet; theirs is that of TensorFlow's model garden, whose pairs differ.
Command: tools/dist_train.sh \\
    configs/supcon/supcon_resnet50_24xb256-cosine-350e_in1k.py 8
Hardware: 3 nodes of 8 GPUs (NNODES, NODE_RANK and MASTER_ADDR set on each); hours not yet measured.
Expected: linear classifier top-1 78.7 (paper, table 1).
Measured: not yet measured.
"""

_base_ = '../simclr/simclr_resnet50_16xb256-cosine-200e_in1k.py'

model = dict(
    neck=dict(num_layers=1, norm=None, normalize_input=True),
    head=dict(type='SupConHead', base_temperature=1.0),
)
view_pipeline = [
    dict(type='RandomResizedCrop', size=224, scale=(0.08, 1.0)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='AutoAugment', policy='imagenet', fill=128),
]
views = dict(type='MultiView', transforms=['$view_pipeline'], num_views=[2])
train_dataloader = dict(dataset=dict(pipeline=['$views', dict(type='PackInputs')]))
optim_wrapper = dict(optimizer=dict(lr=9.6, weight_decay=1e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-4, end=12, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        T_max='$train_cfg.max_epochs - 12',
        begin=12,
        end='$train_cfg.max_epochs',
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(max_epochs=350)
auto_scale_lr = dict(base_batch_size=6144)
