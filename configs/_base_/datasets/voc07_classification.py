"""VOC 2007: classification, which of twenty classes an image shows."""

data_root = 'data/VOCdevkit/VOC2007'

eval_pipeline = [
    dict(type='Resize', size=256),
    dict(type='CenterCrop', size=224),
    dict(type='PackInputs'),
]
trainval_dataloader = dict(
    batch_size=128,
    num_workers=8,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='VOCClassification',
        data_root='$data_root',
        split='trainval',
        pipeline='$eval_pipeline',
    ),
)
voc_test_dataloader = dict(
    batch_size=128,
    num_workers=8,
    sampler=dict(type='KeyedSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='VOCClassification', data_root='$data_root', split='test', pipeline='$eval_pipeline'
    ),
)
