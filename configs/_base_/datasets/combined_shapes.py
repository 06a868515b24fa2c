"""Combined scenes: one generated shape; the label is its kind, its texture and its hue."""

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

# Scenes are drawn once and kept here.
cache_dir = 'work_dirs/cache/shapes'
num_classes = 100
source = dict(
    type='CombinedShapeScenes',
    num_classes='$num_classes',
    num_scenes=12800,
    split='train',
    image_size=48,
    cache_dir='$cache_dir',
)
train_dataloader = dict(
    batch_size=128,
    num_workers=0,
    drop_last=True,
    sampler=dict(type='KeyedSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(_copy_='source', pipeline='$train_pipeline'),
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
    dataset=dict(_copy_='source', num_scenes=4000, split='val', pipeline='$eval_pipeline'),
)
