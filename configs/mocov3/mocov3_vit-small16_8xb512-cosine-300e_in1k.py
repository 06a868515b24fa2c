"""MoCo-v3, ImageNet-1K, ViT-S/16, batch 4,096, 300 epochs.

Paper: Chen, Xie and He 2021 (MoCo-v3, arXiv 2104.02057); all settings as in the authors' repository
    for ViT-S: 12 heads of attention, a frozen random projection of the patches.
Command: tools/dist_train.sh configs/mocov3/mocov3_vit-small16_8xb512-cosine-300e_in1k.py 8 --amp
Hardware: 8 GPUs; hours not yet measured.
Expected: linear probe top-1 73.2 (authors' README).
Measured: not yet measured.
"""

_base_ = ['../_base_/datasets/imagenet.py', '../_base_/default_runtime.py']

model = dict(
    type='MoCo',
    online_views=(0, 1),
    target_views=(0, 1),
    batch_shuffle='none',
    ema_decay=0.99,
    ema_schedule='cosine',
    data_preprocessor=dict(
        type='ViewDataPreprocessor', mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)
    ),
    backbone=dict(
        type='TimmBackbone',
        model_name='vit_small_patch16_224',
        model_kwargs=dict(num_heads=12, weight_init='moco'),
        frozen=('patch_embed',),
        positions='sincos',
        xavier_patches=True,
    ),
    neck=dict(
        type='MLPNeck',
        in_channels=384,
        hidden_channels=4096,
        out_channels=256,
        num_layers=3,
        norm='all',
        last_affine=False,
    ),
    predictor=dict(
        type='MLPNeck',
        in_channels=256,
        hidden_channels=4096,
        out_channels=256,
        norm='all',
        last_affine=False,
    ),
    head=dict(type='KeyBatchHead', temperature=0.2),
)
sync_bn = 'torch'

crop = [
    dict(type='RandomResizedCrop', size=224, scale=(0.08, 1.0)),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1, prob=0.8),
    dict(type='RandomGrayscale', prob=0.2),
]
flip = dict(type='RandomFlip', prob=0.5)
first = [*crop, dict(type='GaussianBlur', sigma=(0.1, 2.0), prob=1.0), flip]
second = [
    *crop,
    dict(type='GaussianBlur', sigma=(0.1, 2.0), prob=0.1),
    dict(type='RandomSolarize', prob=0.2),
    flip,
]
views = dict(type='MultiView', transforms=['$first', '$second'], num_views=[1, 1])
train_dataloader = dict(
    batch_size=512, num_workers=12, dataset=dict(pipeline=['$views', dict(type='PackInputs')])
)

# The rate is 1.5e-4 for each 256 images; all parameters are decayed, norms and biases too.
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='AdamW', lr=2.4e-3, weight_decay=0.1))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-4, end=40, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        T_max='$train_cfg.max_epochs - 40',
        begin=40,
        end='$train_cfg.max_epochs',
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=300)
auto_scale_lr = dict(base_batch_size=4096, enable=False)
