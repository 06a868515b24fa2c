"""PaCo, ImageNet-LT, ResNet-50, 400 epochs.

Paper: Cui et al. 2021 (PaCo, arXiv 2107.12028); rate, batch, alpha, temperature and queue of the
    authors' code, the order of its augmentations recalled.
Command: tools/dist_train.sh configs/paco/paco_resnet50_4xb32-cosine-400e_imagenet-lt.py 4
Hardware: 4 GPUs; hours not yet measured.
Expected: top-1 57.0 (the authors' repository).
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/imagenet_lt.py',
    '../_base_/models/moco_resnet50.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    neck=dict(norm='hidden'),
    head=dict(
        _delete_=True,
        type='ParametricContrastHead',
        num_classes=1000,
        in_channels=2048,
        alpha=0.05,
        temperature=0.2,
        memory=dict(type='FeatureQueue', length=8192, dim=128),
    ),
)
optim_wrapper = dict(optimizer=dict(lr=0.02, weight_decay=5e-4))
train_cfg = dict(max_epochs=400, val_interval=10)
auto_scale_lr = dict(base_batch_size=128)
