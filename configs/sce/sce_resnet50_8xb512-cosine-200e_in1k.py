"""SCE, ImageNet-1K, ResNet-50, symmetric with a predictor, 200 epochs at batch 4096.

Paper: Denize et al., WACV 2023 (arXiv 2111.14585); settings of the authors' code (CEA-LIST/SCE).
Command: tools/dist_train.sh configs/sce/sce_resnet50_8xb512-cosine-200e_in1k.py 8
Hardware: 8 GPUs; hours not yet measured.
Expected: linear probe top-1 72.7 (authors' README).
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/imagenet.py',
    '../_base_/models/moco_resnet50.py',
    '../_base_/schedules/lars_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    type='MoCo',
    online_views=(0, 1),
    target_views=(0, 1),
    batch_shuffle='none',
    ema_decay=0.99,
    ema_schedule='cosine',
    neck=dict(out_channels=256, num_layers=3, norm='all', last_affine=False),
    predictor=dict(
        type='MLPNeck',
        in_channels=256,
        hidden_channels=4096,
        out_channels=256,
        norm='hidden',
        last_bias=False,
    ),
    head=dict(
        type='SoftContrastiveHead',
        temperature=0.1,
        key_temperature=0.07,
        own_weight=0.5,
        own_slot='zero',
        memory=dict(dim=256),
    ),
)
sync_bn = 'torch'
jitter = dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1, prob=0.8)
crop = [dict(type='RandomResizedCrop', size=224, scale=(0.2, 1.0)), jitter]
gray, flip = dict(type='RandomGrayscale', prob=0.2), dict(type='RandomFlip', prob=0.5)
first = [*crop, gray, dict(type='GaussianBlur', sigma=(0.1, 2.0), prob=1.0), flip]
# The authors' second view is not flipped.
second = [
    *crop,
    gray,
    dict(type='GaussianBlur', sigma=(0.1, 2.0), prob=0.1),
    dict(type='RandomSolarize', prob=0.2),
]
views = dict(type='MultiView', transforms=['$first', '$second'], num_views=[1, 1])
train_dataloader = dict(batch_size=512, dataset=dict(pipeline=['$views', dict(type='PackInputs')]))
