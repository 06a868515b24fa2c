"""Tiny ImageNet: 100 of its classes in class folders (they are not ImageNet-100's classes)."""

data_root = 'data/tiny_imagenet100'

view_pipeline = [
    dict(type='RandomResizedCrop', size=64, scale=(0.2, 1.0)),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    dict(type='RandomGrayscale', prob=0.2),
    dict(type='RandomFlip', prob=0.5),
]
train_pipeline = [
    dict(type='MultiView', transforms=['$view_pipeline'], num_views=[2]),
    dict(type='PackInputs'),
]
probe_pipeline = [
    dict(type='RandomResizedCrop', size=64, scale=(0.2, 1.0)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackInputs'),
]
eval_pipeline = [dict(type='PackInputs')]

train_dataloader = dict(
    batch_size=256,
    num_workers=4,
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    sampler=dict(type='KeyedSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='ImageFolder',
        data_root='$data_root',
        split='train',
        index_cache='work_dirs/index/tiny_imagenet100_train.json',
        pipeline='$train_pipeline',
    ),
)

bank_dataloader = dict(
    batch_size=500,
    num_workers=4,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='ImageFolder',
        data_root='$data_root',
        split='train',
        index_cache='work_dirs/index/tiny_imagenet100_train.json',
        pipeline='$eval_pipeline',
    ),
)
query_dataloader = dict(
    batch_size=500,
    num_workers=4,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='ImageFolder',
        data_root='$data_root',
        split='val',
        index_cache='work_dirs/index/tiny_imagenet100_val.json',
        pipeline='$eval_pipeline',
    ),
)
