"""Colored generated scenes: one object, tinted by its class in 80 of 100 training images.

Without color jitter, which would take the tint away.
"""

view_pipeline = [
    dict(type='RandomResizedCrop', size=32, scale=(0.3, 1.0)),
    dict(type='RandomFlip', prob=0.5),
]
train_pipeline = [
    dict(type='MultiView', transforms=['$view_pipeline'], num_views=[2]),
    dict(type='PackInputs', extra_keys=['bias_label']),
]
eval_pipeline = [dict(type='Resize', size=32), dict(type='PackInputs', extra_keys=['bias_label'])]

# Scenes are drawn once, untinted, and kept here.
cache_dir = 'work_dirs/cache/shapes'
train_dataloader = dict(
    batch_size=256,
    num_workers=1,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='KeyedSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='ColouredShapeScenes',
        image_size=48,
        aligned=0.8,
        num_objects=(1, 1),
        num_scenes=8000,
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
        type='ColouredShapeScenes',
        image_size=48,
        aligned=0.8,
        num_objects=(1, 1),
        num_scenes=8000,
        split='train',
        cache_dir='$cache_dir',
        pipeline='$eval_pipeline',
    ),
)
# As biased as the training set, and not biased at all: the gap between the two is the bias that a
# network has learned.
query_dataloader = dict(
    batch_size=250,
    num_workers=0,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='ColouredShapeScenes',
        image_size=48,
        aligned=0.8,
        num_objects=(1, 1),
        num_scenes=2000,
        split='val',
        cache_dir='$cache_dir',
        pipeline='$eval_pipeline',
    ),
)
unbiased_dataloader = dict(
    batch_size=250,
    num_workers=0,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='ColouredShapeScenes',
        image_size=48,
        num_objects=(1, 1),
        num_scenes=2000,
        split='test',
        cache_dir='$cache_dir',
        pipeline='$eval_pipeline',
    ),
)
