"""Generated scenes: overlapping shapes; the label is the kind that dominates the scene."""

view_pipeline = [
    dict(type='RandomResizedCrop', size=64, scale=(0.3, 1.0)),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.5, prob=0.8),
    dict(type='RandomGrayscale', prob=0.2),
    dict(type='RandomFlip', prob=0.5),
]
train_pipeline = [
    dict(type='MultiView', transforms=['$view_pipeline'], num_views=[2]),
    dict(type='PackInputs'),
]
eval_pipeline = [dict(type='Resize', size=64), dict(type='PackInputs')]

# Scenes are drawn once, 3 ms each, and kept here.
cache_dir = 'work_dirs/cache/shapes'
train_dataloader = dict(
    batch_size=128,
    num_workers=1,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='KeyedSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='ShapeScenes',
        num_scenes=4000,
        split='train',
        cache_dir='$cache_dir',
        pipeline='$train_pipeline',
    ),
)
bank_dataloader = dict(
    batch_size=250,
    num_workers=0,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='ShapeScenes',
        num_scenes=4000,
        split='train',
        cache_dir='$cache_dir',
        pipeline='$eval_pipeline',
    ),
)
query_dataloader = dict(
    batch_size=250,
    num_workers=0,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='ShapeScenes',
        num_scenes=1000,
        split='val',
        cache_dir='$cache_dir',
        pipeline='$eval_pipeline',
    ),
)
