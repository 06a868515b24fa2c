"""i-Mix in MoCo form, ImageNet-1K, ResNet-50, 800 epochs at batch 512.

Paper: Lee et al., ICLR 2021 (i-Mix, arXiv 2010.08887); settings of the authors' command for
    ImageNet: mixup with alpha 0.2, 65,536 keys, rate 0.03 for each 256 images, warm-up.
Command: tools/dist_train.sh configs/imix/imix-moco_resnet50_8xb64-cosine-800e_in1k.py 8
Hardware: 8 GPUs; hours not yet measured.
Expected: no figure was read at its source.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/imagenet.py',
    '../_base_/models/moco_resnet50.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    head=dict(batch_keys=True),
    view_editors=[dict(type='InstanceMix', kind='mixup', alpha=0.2)],
)
train_dataloader = dict(batch_size=64)
optim_wrapper = dict(optimizer=dict(lr=0.06))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, end=10, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR', T_max='$train_cfg.max_epochs', end='$train_cfg.max_epochs',
        eta_min=6e-5,
    ),
]  # fmt: skip
train_cfg = dict(max_epochs=800)
auto_scale_lr = dict(base_batch_size=512)
