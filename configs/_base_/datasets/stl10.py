"""STL-10: read by torchvision from data/stl10; views of 32 pixels, as two papers train on it."""

data_root = 'data/stl10'

view_pipeline = [
    dict(type='RandomResizedCrop', size=32, scale=(0.08, 1.0)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    dict(type='RandomGrayscale', prob=0.2),
    dict(type='GaussianBlur', sigma=(0.1, 2.0), prob=0.5),
]
train_pipeline = [
    dict(type='MultiView', transforms=['$view_pipeline'], num_views=[2]),
    dict(type='PackInputs'),
]
probe_pipeline = [
    dict(type='RandomResizedCrop', size=32, scale=(0.08, 1.0)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackInputs'),
]
eval_pipeline = [dict(type='PackInputs')]

train_dataloader = dict(
    batch_size=256,
    num_workers=12,
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    sampler=dict(type='KeyedSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='TorchVisionDataset',
        name='STL10',
        data_root='$data_root',
        split='train+unlabeled',
        pipeline='$train_pipeline',
    ),
)

bank_dataloader = dict(
    batch_size=500,
    num_workers=4,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='TorchVisionDataset',
        name='STL10',
        data_root='$data_root',
        split='train',
        pipeline='$eval_pipeline',
    ),
)
query_dataloader = dict(
    batch_size=500,
    num_workers=4,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='TorchVisionDataset',
        name='STL10',
        data_root='$data_root',
        split='test',
        pipeline='$eval_pipeline',
    ),
)
