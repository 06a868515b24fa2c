"""RenyiCL with its harder views, CIFAR-10, ResNet-18, 200 epochs on one GPU.

Paper: Lee and Shin 2022 (RenyiCL, arXiv 2208.06270); gamma, alpha and temperature of the authors'
    code; the harder views are its recipe for ImageNet without blur, with RandAugment at a third of
    the strength; network, optimizer and length are ours.
Command: python tools/train.py configs/renyicl/renyicl_resnet18_1xb256-cosine-200e_cifar10.py
Hardware: 1 GPU; hours not yet measured.
Expected: none published for this setting.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/cifar10.py',
    '../_base_/models/moco_resnet18_small.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    channels_last=True,
    online_views=(0, 1),
    target_views=(0, 1),
    ema_schedule='cosine',
    batch_shuffle='none',
    neck=dict(norm='all', last_affine=False),
    predictor=dict(
        type='MLPNeck',
        in_channels=128,
        hidden_channels=512,
        out_channels=128,
        norm='hidden',
        last_bias=False,
    ),
    head=dict(_delete_=True, type='SkewRenyiHead', gamma=2.0, alpha=1 / 65536, temperature=0.5),
)
base = [
    dict(type='RandomResizedCrop', size=32, scale=(0.2, 1.0)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1, prob=0.8),
    dict(type='RandAugment', num_ops=2, magnitude=10, max_magnitude=30, fill=115),
]
gray = dict(type='RandomGrayscale', prob=0.2)
source = [*base, gray, dict(type='RandomErasing', prob=0.2)]
target = [*base, dict(type='RandomSolarize', prob=0.2), gray]
views = dict(type='MultiView', transforms=['$source', '$target'], num_views=[1, 1])
train_dataloader = dict(num_workers=12, dataset=dict(pipeline=['$views', dict(type='PackInputs')]))
optim_wrapper = dict(optimizer=dict(lr=0.06, weight_decay=5e-4))
