"""The 100 classes of ImageNet that CMC chose; labels follow the sorted folder names."""

_base_ = './imagenet.py'

train_dataloader = dict(
    dataset=dict(classes='imagenet100', index_cache='work_dirs/index/imagenet100_train.json')
)
bank_dataloader = dict(
    dataset=dict(classes='imagenet100', index_cache='work_dirs/index/imagenet100_train.json')
)
query_dataloader = dict(
    dataset=dict(classes='imagenet100', index_cache='work_dirs/index/imagenet100_val.json')
)
