"""CIFAR-100-LT: 500 images of the first class, 5 of the last; files as torchvision lays them out.

The augmentation of the long-tailed tables: AutoAugment and a hole for the query, that of SimCLR for
the key. Evaluation on all test images, which are balanced.
"""

_base_ = './cifar100.py'

# Images of the last class over those of the first: the imbalance of 100 in tables.
imbalance_factor = 0.01
# Training images above which a class has many, and below which it has few: 35, 35 and 30 classes.
cuts = (100, 20)

strong_pipeline = [
    dict(type='RandomCrop', size=32, padding=4),
    dict(type='RandomFlip', prob=0.5),
    dict(type='AutoAugment', policy='cifar10', fill=128),
    dict(type='Cutout', length=16),
]
view_pipeline = [
    dict(type='RandomResizedCrop', size=32, scale=(0.08, 1.0)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    dict(type='RandomGrayscale', prob=0.2),
]
train_pipeline = [
    dict(type='MultiView', transforms=['$strong_pipeline', '$view_pipeline'], num_views=[1, 1]),
    dict(type='PackInputs'),
]

train_images = dict(
    _delete_=True,
    type='LongTail',
    factor='$imbalance_factor',
    dataset=dict(type='TorchVisionDataset', name='CIFAR100', data_root='$data_root', split='train'),
)
train_dataloader = dict(batch_size=128)
query_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='TorchVisionDataset',
        name='CIFAR100',
        data_root='$data_root',
        split='test',
        pipeline='$eval_pipeline',
    )
)
val_dataloader = dict(_copy_='query_dataloader')
test_dataloader = dict(_copy_='query_dataloader')
val_evaluator = [
    dict(type='TopKAccuracy', topk=(1, 5)),
    dict(type='GroupAccuracy', dataset='$train_images', cuts='$cuts'),
]
test_evaluator = [
    dict(type='TopKAccuracy', topk=(1, 5)),
    dict(type='GroupAccuracy', dataset='$train_images', cuts='$cuts'),
]
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
