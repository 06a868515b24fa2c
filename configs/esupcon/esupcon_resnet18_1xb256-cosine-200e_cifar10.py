"""ESupCon, CIFAR-10, ResNet-18, 200 epochs on one GPU.

Paper: Aljundi et al. 2023 (arXiv 2211.03646), in our reading: see the README; network, rate, length
    and temperature are ours.
Command: python tools/train.py configs/esupcon/esupcon_resnet18_1xb256-cosine-200e_cifar10.py
Hardware: 1 GPU; hours not yet measured.
Expected: none that could be read.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/cifar10.py',
    '../_base_/models/in_batch_resnet18_small.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
    '../_base_/classify_queries.py',
]

model = dict(
    channels_last=True,
    head=dict(type='ESupConHead', num_classes=10, in_channels=128, temperature=0.1),
)
train_dataloader = dict(num_workers=12)
train_cfg = dict(val_interval=10)
optim_wrapper = dict(
    optimizer=dict(lr=0.06, weight_decay=5e-4),
    # A prototype is scaled to unit length: decay would only raise its rate.
    paramwise_cfg=dict(custom_keys={'head.prototypes': dict(decay_mult=0.0)}),
)
