"""FNC with a memory, attraction, ImageNet-1K, ResNet-50, 10 views, 100 epochs at batch 4096.

Paper: Huynh et al., WACV 2022 (arXiv 2011.11765); settings of its code (google-research/fnc) and
    its example command, RandAugment (two operations, 7 of 10) among SimCLR's views included. The
    operations are torchvision's fourteen; theirs are sixteen, with cutout and inversion.
Command: tools/dist_train.sh configs/fnc/fnc-memory_resnet50_8xb512-cosine-100e_in1k.py 8
Hardware: 8 GPUs, 20 encoder passes per image; hours not yet measured.
Expected: no figure for 100 epochs; the authors' longer run gave linear probe top-1 74.4.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/imagenet.py',
    '../_base_/models/fnc_resnet50.py',
    '../_base_/schedules/lars_cosine_200e.py',
    '../_base_/default_runtime.py',
]

sync_bn = 'torch'
optim_wrapper = dict(optimizer=dict(lr=6.4, weight_decay=1e-4))
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
train_cfg = dict(max_epochs=100)
view_pipeline = [
    dict(type='RandomResizedCrop', size=224, scale=(0.08, 1.0)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='ColorJitter', brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2, prob=0.8),
    dict(type='RandAugment', num_ops=2, magnitude=7, max_magnitude=10, fill=128),
    dict(type='RandomGrayscale', prob=0.2),
    dict(type='GaussianBlur', sigma=(0.1, 2.0), prob=0.5),
]
views = dict(type='MultiView', transforms=['$view_pipeline'], num_views=[10])
train_dataloader = dict(batch_size=512, dataset=dict(pipeline=['$views', dict(type='PackInputs')]))
