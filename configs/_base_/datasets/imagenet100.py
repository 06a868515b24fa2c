"""ImageNet-100: the classes of ImageNet that CMC chose; labels follow sorted folder names."""

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
