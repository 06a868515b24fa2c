"""ReLICv2 without masks, ImageNet-1K, ResNet-50, four large and two small crops, batch 4,096.

Paper: Tomasev et al. 2022 (ReLICv2, arXiv 2201.05119); color, blur and solarization and the
    schedule of the averaged encoder are those of the authors' code for evaluation; crops,
    temperature, negatives, weights, batch, rate, decay and epochs are recalled, widths of the neck
    and which crop has which recipe are ours. Masks, which it was trained with, have to be made
    first: see the README.
Command: tools/dist_train.sh configs/relicv2/relicv2_resnet50_8xb512-cosine-1000e_in1k.py 8 --amp
Hardware: 8 GPUs; hours not yet measured. Needs timm, for LARS.
Expected: linear probe top-1 77.1 with masks (abstract); none published without.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/imagenet.py',
    '../_base_/models/moco_resnet50.py',
    '../_base_/schedules/lars_cosine_200e.py',
    '../_base_/default_runtime.py',
]

colors = [
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1, prob=0.8),
    dict(type='RandomGrayscale', prob=0.2),
]
flip = dict(type='RandomFlip', prob=0.5)
large = dict(type='RandomResizedCrop', size=224, scale=(0.14, 1.0))
small = dict(type='RandomResizedCrop', size=96, scale=(0.05, 0.14))
blur = dict(type='GaussianBlur', sigma=(0.1, 2.0), prob=1.0)
rare_blur = dict(type='GaussianBlur', sigma=(0.1, 2.0), prob=0.1)
solarize = dict(type='RandomSolarize', prob=0.2)
first = [large, *colors, blur, flip]
second = [large, *colors, rare_blur, solarize, flip]
third = [small, *colors, rare_blur, solarize, flip]
views = dict(type='MultiView', transforms=['$first', '$second', '$third'], num_views=[2, 2, 2])

model = dict(
    channels_last=True,
    online_views=(0, 1, 2, 3, 4, 5),
    target_views=(0, 1, 2, 3),
    batch_shuffle='none',
    ema_decay=0.996,
    ema_schedule='cosine',
    neck=dict(hidden_channels=4096, out_channels=256, norm='hidden', last_bias=False),
    head=dict(_delete_=True, type='InvarianceHead', num_negatives=10, temperature=0.3),
)
sync_bn = 'torch'
train_dataloader = dict(
    batch_size=512, num_workers=12, dataset=dict(pipeline=['$views', dict(type='PackInputs')])
)
optim_wrapper = dict(optimizer=dict(weight_decay=1.5e-6))
train_cfg = dict(max_epochs=1000)
