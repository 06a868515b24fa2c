"""SimCLR, CIFAR-10, ResNet-18, 1,000 epochs on one GPU.

Paper: Chen et al. 2020 (SimCLR, arXiv 2002.05709); batch, weight decay, temperature, warm-up, crops
    from 0.08 and projection (three layers, batch norm on all) of the official repository's CIFAR-10
    command, and its rate: 1.0 for each 256 images, 2.0 here.
Command: python tools/train.py configs/simclr/simclr_resnet18_1xb512-cosine-1000e_cifar10.py
Hardware: 1 GPU; hours not yet measured.
Expected: linear probe top-1 about 91 (official repository).
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/cifar10.py',
    '../_base_/models/in_batch_resnet18_small.py',
    '../_base_/schedules/lars_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = dict(channels_last=True, neck=dict(num_layers=3, norm='all'))
view_pipeline = [
    dict(type='RandomResizedCrop', size=32, scale=(0.08, 1.0)),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    dict(type='RandomGrayscale', prob=0.2),
    dict(type='RandomFlip', prob=0.5),
]
views = dict(type='MultiView', transforms=['$view_pipeline'], num_views=[2])
train_dataloader = dict(
    batch_size=512, num_workers=12, dataset=dict(pipeline=['$views', dict(type='PackInputs')])
)
optim_wrapper = dict(optimizer=dict(lr=2.0, weight_decay=1e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-4, end=10, convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        T_max='$train_cfg.max_epochs - 10',
        begin=10,
        end='$train_cfg.max_epochs',
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(max_epochs=1000)
auto_scale_lr = dict(base_batch_size=512)
