"""Generated scenes: several kinds in each, in a VOC folder; which of them it shows."""

data_root = 'data/shapes_voc'
classes = [
    'disc',
    'square',
    'triangle',
    'star',
    'cross',
    'ring',
    'crescent',
    'hexagon',
    'heart',
    'arrow',
]

eval_pipeline = [dict(type='Resize', size=64), dict(type='PackInputs')]
trainval_dataloader = dict(
    batch_size=250,
    num_workers=0,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='VOCClassification',
        data_root='$data_root',
        split='train',
        classes='$classes',
        pipeline='$eval_pipeline',
    ),
)
voc_test_dataloader = dict(
    batch_size=250,
    num_workers=0,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='VOCClassification',
        data_root='$data_root',
        split='val',
        classes='$classes',
        pipeline='$eval_pipeline',
    ),
)
