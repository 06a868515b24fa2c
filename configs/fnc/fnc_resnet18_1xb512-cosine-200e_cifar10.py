"""FNC in the batch, attraction, CIFAR-10, ResNet-18, 2 views and 2 support views, 200 epochs.

Paper: Huynh et al., WACV 2022 (arXiv 2011.11765); it has no CIFAR-10 setting, so network, schedule
    and number of support views are ours.
Command: python tools/train.py configs/fnc/fnc_resnet18_1xb512-cosine-200e_cifar10.py
Hardware: 1 GPU; hours not yet measured.
Expected: none published for these settings.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/cifar10.py',
    '../_base_/models/in_batch_resnet18_small.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    num_views=4,
    head=dict(
        type='FalseNegativeHead',
        finder=dict(type='FalseNegativeFinder', num_support=2, support='full'),
    ),
)
views = dict(type='MultiView', transforms=['$view_pipeline'], num_views=[4])
train_dataloader = dict(
    batch_size=512, num_workers=12, dataset=dict(pipeline=['$views', dict(type='PackInputs')])
)
optim_wrapper = dict(optimizer=dict(lr=0.5))
auto_scale_lr = dict(base_batch_size=512)
