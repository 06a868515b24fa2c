"""ESupCon, CIFAR-10, ResNet-50 with the small-image stem, batch 1,024, 1,000 epochs.

Paper: Aljundi et al. 2023 (arXiv 2211.03646), in our reading: see the README; the recipe is that of
    SupCon's authors, whose classifier is a second stage.
Command: tools/dist_train.sh configs/esupcon/esupcon_resnet50_4xb256-cosine-1000e_cifar10.py 4
Hardware: 4 GPUs; hours not yet measured.
Expected: none that could be read.
Measured: not yet measured.
"""

_base_ = [
    '../supcon/supcon_resnet50_4xb256-cosine-1000e_cifar10.py',
    '../_base_/classify_queries.py',
]

model = dict(
    head=dict(_delete_=True, type='ESupConHead', num_classes=10, in_channels=128, temperature=0.1)
)
train_cfg = dict(val_interval=50)
# A prototype is scaled to unit length: decay would only raise its rate.
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'head.prototypes': dict(decay_mult=0.0)}))
