"""COCO: the images of data/coco/train2017 without labels; kNN stays with ImageNet's."""

_base_ = 'imagenet.py'

train_dataloader = dict(
    dataset=dict(
        data_root='data/coco',
        split='train2017',
        classes=[],
        index_cache='work_dirs/index/coco_train2017.json',
    )
)
