"""ImageNet-LT: the images of a list in the class folders of ImageNet-1K, 1,280 to 5 of a class.

The list is Liu et al.'s; configs/paco/README.md says how to make it one for ImageFolder. RandAugment
for the query, the augmentation of contrastive learning for the key. Evaluation on the validation
images of ImageNet-1K, which are balanced and serve as the test set of ImageNet-LT.
"""

_base_ = './imagenet.py'

train_list = 'data/imagenet/train_lt.txt'
# Training images above which a class has many, and below which it has few.
cuts = (100, 20)

train_images = dict(
    type='ImageFolder', data_root='$data_root', split='train', include='$train_list'
)
strong_pipeline = [
    dict(type='RandomResizedCrop', size=224, scale=(0.08, 1.0)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.0, prob=1.0),
    dict(type='RandAugment', num_ops=2, magnitude=10, fill=128),
]
train_pipeline = [
    dict(type='MultiView', transforms=['$strong_pipeline', '$view_pipeline'], num_views=[1, 1]),
    dict(type='PackInputs'),
]
train_dataloader = dict(
    dataset=dict(_delete_=True, _copy_='train_images', pipeline='$train_pipeline')
)
bank_dataloader = dict(
    dataset=dict(_delete_=True, _copy_='train_images', pipeline='$eval_pipeline')
)
val_dataloader = dict(_copy_='query_dataloader')
test_dataloader = dict(_copy_='query_dataloader')
val_evaluator = [
    dict(type='TopKAccuracy', topk=(1, 5)),
    dict(type='GroupAccuracy', dataset='$train_images', cuts='$cuts'),
]
test_evaluator = [
    dict(type='TopKAccuracy', topk=(1, 5)),
    dict(type='GroupAccuracy', dataset='$train_images', cuts='$cuts'),
]
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
