"""Tiny ImageNet at 32 pixels: 100 of its classes, decoded once, milder views in one pass."""

data_root = 'data/tiny_imagenet100'

view_pipeline = [
    dict(type='RandomResizedCrop', size=32, scale=(0.4, 1.0)),
    dict(type='ColorJitter', brightness=0.2, contrast=0.2, saturation=0.2, hue=0.05, prob=0.8),
    dict(type='RandomGrayscale', prob=0.1),
    dict(type='RandomFlip', prob=0.5),
]
train_pipeline = [
    dict(type='FastMultiView', transforms=['$view_pipeline'], num_views=[2]),
    dict(type='PackInputs'),
]
eval_pipeline = [dict(type='Resize', size=32), dict(type='PackInputs')]

source = dict(type='ImageFolder', data_root='$data_root', split='train')
train_dataloader = dict(
    batch_size=128,
    num_workers=0,
    drop_last=True,
    sampler=dict(type='KeyedSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(type='InMemory', dataset=dict(_copy_='source'), pipeline='$train_pipeline'),
)
bank_dataloader = dict(
    batch_size=500,
    num_workers=0,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(_copy_='source', pipeline='$eval_pipeline'),
)
query_dataloader = dict(
    batch_size=500,
    num_workers=0,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(_copy_='source', split='val', pipeline='$eval_pipeline'),
)
# Those that nothing is chosen by: looked at once, when all is decided. A sweep that cuts its parts
# from the training images takes them from there.
final_dataloader = dict(_copy_='query_dataloader')
