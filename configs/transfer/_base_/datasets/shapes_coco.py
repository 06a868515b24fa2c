"""Generated scenes: COCO layout, with masks.

python tools/dataset/export_shapes.py data/shapes_coco --layout coco --mixed --size 128 \
    --objects 2 4 --train 300 --val 200
"""

_base_ = './shapes_voc.py'

data_root = 'data/shapes_coco/'
metainfo = dict(classes='$classes')

train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
]

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='mochi_mm.CocoDetection',
        data_root='$data_root',
        ann_file='annotations/instances_train.json',
        data_prefix=dict(img='train/'),
        metainfo=dict(_copy_='metainfo'),
        filter_cfg=dict(filter_empty_gt=True),
        pipeline='$train_pipeline',
    ),
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='mochi_mm.CocoDetection',
        data_root='$data_root',
        ann_file='annotations/instances_val.json',
        data_prefix=dict(img='val/'),
        metainfo=dict(_copy_='metainfo'),
        test_mode=True,
        pipeline='$test_pipeline',
    ),
)
test_dataloader = dict(_copy_='val_dataloader')
val_evaluator = dict(_delete_=True, type='mochi_mm.CocoDetectionMetric', metric=['bbox', 'segm'])
test_evaluator = dict(_copy_='val_evaluator')
