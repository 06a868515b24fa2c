"""Blood cells (BCCD): photographs in VOC layout; train on trainval (292 images), test on test (72)."""

data_root = 'data/bccd/'
metainfo = dict(classes=('RBC', 'WBC', 'Platelets'))
scale = (320, 240)

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='Resize', scale='$scale', keep_ratio=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale='$scale', keep_ratio=True),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'),
    ),
]

train_dataloader = dict(
    batch_size=4,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='mochi_mm.KeyedSampler', infinite=True),
    dataset=dict(
        type='mochi_mm.VOCDetection',
        data_root='$data_root',
        ann_file='ImageSets/Main/trainval.txt',
        metainfo=dict(_copy_='metainfo'),
        filter_cfg=dict(filter_empty_gt=True),
        pipeline='$train_pipeline',
    ),
)
val_dataloader = dict(
    batch_size=4,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='mochi_mm.KeyedSampler', shuffle=False, round_up=False),
    dataset=dict(
        type='mochi_mm.VOCDetection',
        data_root='$data_root',
        ann_file='ImageSets/Main/test.txt',
        metainfo=dict(_copy_='metainfo'),
        test_mode=True,
        pipeline='$test_pipeline',
    ),
)
test_dataloader = dict(_copy_='val_dataloader')
val_evaluator = dict(type='mochi_mm.VOCDetectionMetric')
test_evaluator = dict(_copy_='val_evaluator')
