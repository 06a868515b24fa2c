"""Channel scenes: generated shapes in four channels of 16 bits; the label is the kind of most."""

# The words that say what the images are: data set, backbone (in_channels) and statistics follow.
channels = 4
bits = 16
# Measured over the training scenes, in gray levels: red, green, blue, distance from gray.
mean = (130.9, 131.3, 130.1, 50.9)
std = (63.7, 60.8, 64.7, 28.9)

view_pipeline = [
    dict(type='RandomResizedCrop', size=64, scale=(0.3, 1.0)),
    dict(type='ChannelJitter', brightness=0.4, contrast=0.4, prob=0.8),
    dict(type='GaussianBlur', sigma=(0.1, 1.0), prob=0.5),
    dict(type='RandomFlip', prob=0.5),
]
train_pipeline = [
    dict(type='FastMultiView', transforms=['$view_pipeline'], num_views=[2]),
    dict(type='PackInputs'),
]
eval_pipeline = [dict(type='Resize', size=64), dict(type='PackInputs')]

# Scenes are drawn once, 3 ms each, and kept here.
cache_dir = 'work_dirs/cache/shapes'
source = dict(
    type='ChannelShapeScenes',
    channels='$channels',
    bits='$bits',
    num_scenes=4000,
    split='train',
    cache_dir='$cache_dir',
)
train_dataloader = dict(
    batch_size=128,
    num_workers=1,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='KeyedSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(_copy_='source', pipeline='$train_pipeline'),
)
bank_dataloader = dict(
    batch_size=250,
    num_workers=0,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(_copy_='source', pipeline='$eval_pipeline'),
)
query_dataloader = dict(
    batch_size=250,
    num_workers=0,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(_copy_='source', num_scenes=1000, split='val', pipeline='$eval_pipeline'),
)
