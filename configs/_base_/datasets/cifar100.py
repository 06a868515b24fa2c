"""CIFAR-100: torchvision's files in data/cifar100, in the crops and colors of SupCon.

The authors' two views of an image, at 32 pixels and without blur.
"""

data_root = 'data/cifar100'

view_pipeline = [
    dict(type='RandomResizedCrop', size=32, scale=(0.2, 1.0)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    dict(type='RandomGrayscale', prob=0.2),
]
train_pipeline = [
    dict(type='MultiView', transforms=['$view_pipeline'], num_views=[2]),
    dict(type='PackInputs'),
]
probe_pipeline = [
    dict(type='RandomResizedCrop', size=32, scale=(0.2, 1.0)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackInputs'),
]
eval_pipeline = [dict(type='PackInputs')]

train_images = dict(
    type='TorchVisionDataset', name='CIFAR100', data_root='$data_root', split='train'
)
query_images = dict(
    type='TorchVisionDataset', name='CIFAR100', data_root='$data_root', split='test'
)
train_dataloader = dict(
    batch_size=256,
    num_workers=4,
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    sampler=dict(type='KeyedSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(type='InMemory', dataset='$train_images', pipeline='$train_pipeline'),
)
bank_dataloader = dict(
    batch_size=500,
    num_workers=2,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(type='InMemory', dataset='$train_images', pipeline='$eval_pipeline'),
)
query_dataloader = dict(
    batch_size=500,
    num_workers=2,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(type='InMemory', dataset='$query_images', pipeline='$eval_pipeline'),
)
