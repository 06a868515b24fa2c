"""GPaCo, ImageNet-LT, ResNet-50, 400 epochs: one encoder, both views as anchors.

Paper: Cui et al. 2023 (GPaCo, arXiv 2209.12400); rate, alpha, temperature and queue of the authors'
    code; 4 GPUs x 32 as in PaCo's.
Command: tools/dist_train.sh configs/paco/gpaco_resnet50_4xb32-cosine-400e_imagenet-lt.py 4
Hardware: 4 GPUs; hours not yet measured.
Expected: top-1 58.5 (the authors' repository).
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/imagenet_lt.py',
    '../_base_/models/in_batch_resnet50.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(zero_init_residual=False),
    neck=dict(num_layers=3, norm=None),
    head=dict(
        _delete_=True,
        type='ParametricContrastHead',
        anchor_views='both',
        num_classes=1000,
        in_channels=2048,
        alpha=0.045,
        temperature=0.2,
        memory=dict(type='FeatureQueue', length=8192, dim=128),
    ),
)
sync_bn = None
optim_wrapper = dict(optimizer=dict(lr=0.04, weight_decay=5e-4))
train_cfg = dict(max_epochs=400, val_interval=10)
auto_scale_lr = dict(base_batch_size=128)
