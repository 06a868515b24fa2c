"""Generated scenes: VOC layout.

python tools/dataset/export_shapes.py data/shapes_voc --layout voc --mixed --size 128 --objects 2 4 \
    --train 300 --val 200
"""

data_root = 'data/shapes_voc/'
classes = (
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
)

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale_factor=1.0),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(
        type='PackDetInputs',
        meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'),
    ),
]

train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='mochi_mm.KeyedSampler', infinite=True),
    dataset=dict(
        type='mochi_mm.VOCDetection',
        data_root='$data_root',
        ann_file='ImageSets/Main/train.txt',
        metainfo=dict(classes='$classes'),
        filter_cfg=dict(filter_empty_gt=True),
        pipeline='$train_pipeline',
    ),
)
val_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='mochi_mm.KeyedSampler', shuffle=False, round_up=False),
    dataset=dict(
        type='mochi_mm.VOCDetection',
        data_root='$data_root',
        ann_file='ImageSets/Main/val.txt',
        metainfo=dict(classes='$classes'),
        test_mode=True,
        pipeline='$test_pipeline',
    ),
)
test_dataloader = dict(_copy_='val_dataloader')
val_evaluator = dict(type='mochi_mm.VOCDetectionMetric')
test_evaluator = dict(_copy_='val_evaluator')
