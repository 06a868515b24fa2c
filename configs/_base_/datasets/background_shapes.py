"""Scenes on a telling background: one object, whose class tints the background in 80 of 100 images.

Without color jitter, which would take the tint away. Masks of the objects are exact.
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

train_dataloader = dict(
    batch_size=256,
    num_workers=1,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='KeyedSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='BackgroundShapeScenes',
        image_size=48,
        aligned=0.8,
        num_objects=(1, 1),
        num_scenes=4000,
        split='train',
        pipeline='$train_pipeline',
    ),
)
bank_dataloader = dict(
    batch_size=250,
    num_workers=0,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='BackgroundShapeScenes',
        image_size=48,
        aligned=0.8,
        num_objects=(1, 1),
        num_scenes=4000,
        split='train',
        pipeline='$eval_pipeline',
    ),
)
# With backgrounds as in training, and each with that of another class: the gap between the two is
# what a network goes by the background.
query_dataloader = dict(
    batch_size=250,
    num_workers=0,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='BackgroundShapeScenes',
        image_size=48,
        aligned=0.8,
        num_objects=(1, 1),
        num_scenes=1000,
        split='val',
        pipeline='$eval_pipeline',
    ),
)
exchanged_dataloader = dict(
    batch_size=250,
    num_workers=0,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='BackgroundShapeScenes',
        image_size=48,
        aligned=0.0,
        num_objects=(1, 1),
        num_scenes=1000,
        split='val',
        pipeline='$eval_pipeline',
    ),
)
custom_hooks = [
    dict(
        type='KNNHook',
        interval=3,
        at_start=True,
        bank_dataloader='$bank_dataloader',
        query_dataloader='$query_dataloader',
    ),
    dict(
        type='KNNHook',
        name='knn_exchanged',
        interval=3,
        at_start=True,
        bank_dataloader='$bank_dataloader',
        query_dataloader='$exchanged_dataloader',
    ),
]
