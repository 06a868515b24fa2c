"""RenyiCL with its harder views, ImageNet-1K, ResNet-50, batch 1,024, 100 epochs.

Paper: Lee and Shin 2022 (RenyiCL, arXiv 2208.06270); settings of the authors' code, without small
    crops, as is its default. The operations of RandAugment are torchvision's, not timm's.
Command: tools/dist_train.sh configs/renyicl/renyicl_resnet50_8xb128-cosine-100e_in1k.py 8 --amp
Hardware: 8 GPUs; hours not yet measured.
Expected: none known at this length; linear probe top-1 76.2 with six small crops, 300 epochs
    (authors' README).
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/imagenet.py',
    '../_base_/models/moco_resnet50.py',
    '../_base_/schedules/lars_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    online_views=(0, 1),
    target_views=(0, 1),
    ema_decay=0.99,
    ema_schedule='cosine',
    batch_shuffle='none',
    backbone=dict(zero_init_residual=True),
    neck=dict(hidden_channels=4096, out_channels=256, norm='all', last_affine=False),
    predictor=dict(
        type='MLPNeck',
        in_channels=256,
        hidden_channels=4096,
        out_channels=256,
        norm='hidden',
        last_bias=False,
    ),
    head=dict(_delete_=True, type='SkewRenyiHead', gamma=2.0, alpha=1 / 65536, temperature=0.5),
)
sync_bn = 'torch'

crop = [
    dict(type='RandomResizedCrop', size=224, scale=(0.2, 1.0)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1, prob=0.8),
]
augment = dict(type='RandAugment', num_ops=2, magnitude=10, max_magnitude=10, fill=115)
gray = dict(type='RandomGrayscale', prob=0.2)
source = [
    *crop,
    dict(type='GaussianBlur', sigma=(0.1, 2.0), prob=1.0),
    augment,
    gray,
    dict(type='RandomErasing', prob=0.2),
]
target = [
    *crop,
    dict(type='GaussianBlur', sigma=(0.1, 2.0), prob=0.1),
    augment,
    dict(type='RandomSolarize', prob=0.2),
    gray,
]
views = dict(type='MultiView', transforms=['$source', '$target'], num_views=[1, 1])
train_dataloader = dict(
    batch_size=128, num_workers=12, dataset=dict(pipeline=['$views', dict(type='PackInputs')])
)

# The rate is 0.8 for each 256 images.
optim_wrapper = dict(optimizer=dict(lr=3.2, weight_decay=1e-6))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-4, end=5, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        T_max='$train_cfg.max_epochs - 5',
        begin=5,
        end='$train_cfg.max_epochs',
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(max_epochs=100)
auto_scale_lr = dict(base_batch_size=1024)
