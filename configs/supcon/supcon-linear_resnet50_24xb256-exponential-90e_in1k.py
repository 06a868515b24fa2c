"""SupCon's second stage on ImageNet-1K: smoothed cross-entropy on the frozen encoder, 90 epochs.

Paper: Khosla et al. 2020 (SupCon, arXiv 2004.11362); settings of the official script: RMSProp, rate
    0.05 for each 256 images (1.2 here), 12 epochs of warm-up, decay 1e-6, label smoothing 0.05,
    AutoAugment, features of unit length. Three things differ: they lower the rate by 0.97 every
    half epoch, here by its square every epoch; their RMSProp adds epsilon inside the root and the
    rate into the momentum; both views of an image train their classifier, here one.
Command: tools/dist_train.sh \\
    configs/supcon/supcon-linear_resnet50_24xb256-exponential-90e_in1k.py 8 \\
    --cfg-options pretrained=work_dirs/.../epoch_350.pth
Hardware: 3 nodes of 8 GPUs (NNODES, NODE_RANK and MASTER_ADDR set on each); hours not yet measured.
Expected: that of the pre-training config.
Measured: not yet measured.
"""

_base_ = '../benchmarks/linear/linear_resnet50_8xb32-step-100e_in1k.py'

model = dict(head=dict(label_smoothing=0.05, normalize_input=True))
train_dataloader = dict(
    batch_size=256,
    dataset=dict(
        pipeline=[
            dict(type='RandomResizedCrop', size=224, scale=(0.08, 1.0)),
            dict(type='RandomFlip', prob=0.5),
            dict(type='AutoAugment', policy='imagenet', fill=128),
            dict(type='PackInputs'),
        ]
    ),
)
optim_wrapper = dict(
    optimizer=dict(type='RMSprop', lr=1.2, alpha=0.9, eps=1.0, momentum=0.9, weight_decay=1e-6)
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-4, end=12, convert_to_iter_based=True),
    dict(type='ExponentialLR', gamma=0.97**2, by_epoch=True, begin=12, end='$train_cfg.max_epochs'),
]
train_cfg = dict(max_epochs=90)
auto_scale_lr = dict(base_batch_size=6144)
