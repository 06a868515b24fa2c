"""CIFAR-10-LT of the files of CIFAR-10: 5,000 images of the first class, 50 of the last.

Two augmentations: strong for the query, that of contrastive learning for the key. Evaluation on all
test images, which are balanced.
"""

_base_ = './cifar10.py'

# Images of the last class over those of the first: the imbalance of 100 in tables.
imbalance_factor = 0.01
# Training images above which a class has many, and below which it has few: 4, 3 and 3 classes.
cuts = (1000, 200)

train_images = dict(
    type='LongTail',
    factor='$imbalance_factor',
    dataset=dict(type='ImageFolder', data_root='$data_root', split='train'),
)
strong_pipeline = [
    dict(type='RandomResizedCrop', size=32, scale=(0.5, 1.0)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='AutoAugment', policy='cifar10', fill=128),
]
train_pipeline = [
    dict(type='MultiView', transforms=['$strong_pipeline', '$view_pipeline'], num_views=[1, 1]),
    dict(type='PackInputs'),
]
train_dataloader = dict(
    batch_size=128,
    dataset=dict(
        _delete_=True, type='InMemory', dataset='$train_images', pipeline='$train_pipeline'
    ),
)
bank_dataloader = dict(
    dataset=dict(_delete_=True, type='InMemory', dataset='$train_images', pipeline='$eval_pipeline')
)
val_dataloader = dict(_copy_='query_dataloader')
test_dataloader = dict(_copy_='query_dataloader')
val_evaluator = [
    dict(type='TopKAccuracy', topk=(1,)),
    dict(type='GroupAccuracy', dataset='$train_images', cuts='$cuts'),
]
test_evaluator = [
    dict(type='TopKAccuracy', topk=(1,)),
    dict(type='GroupAccuracy', dataset='$train_images', cuts='$cuts'),
]
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
