"""MoCo-v2, CIFAR-10, ResNet-18, 200 epochs on one GPU that holds the images and makes the views.

Paper: Chen et al. 2020 (arXiv 2003.04297); the small-image settings follow common practice.
Command: python tools/train.py configs/mocov2/mocov2_resnet18_1xb512-cosine-200e_cifar10-held.py
Hardware: 1 GPU; hours not yet measured.
Expected: that of mocov2_resnet18_1xb512-cosine-200e_cifar10.py, in less time.
Measured: not yet measured.
"""

_base_ = './mocov2_resnet18_1xb512-cosine-200e_cifar10.py'

source = dict(
    type='ImageFolder',
    data_root='$data_root',
    split='train',
    index_cache='work_dirs/index/cifar10_train.json',
)
views = dict(type='HeldMultiView', transforms=['$view_pipeline'], num_views=[2])
pipeline = ['$views', dict(type='PackInputs')]
train_dataloader = dict(
    num_workers=2,
    dataset=dict(
        _delete_=True, type='InMemory', dataset=dict(_copy_='source'), pipeline='$pipeline'
    ),
)
default_hooks = dict(hold_images=dict(type='HoldImagesHook'))
