"""MoCo-v2, CIFAR-10, ResNet-18, 200 epochs on one GPU.

Paper: Chen et al. 2020 (arXiv 2003.04297); the small-image settings follow common practice.
Command: python tools/train.py configs/mocov2/mocov2_resnet18_1xb512-cosine-200e_cifar10.py
Hardware: 1 GPU; hours not yet measured.
Expected: kNN top-1 83.8 to 84.7 (public MoCo figures at 200 epochs, on the original arrays).
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/cifar10.py',
    '../_base_/models/moco_resnet18_small.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = dict(channels_last=True)
train_dataloader = dict(batch_size=512, num_workers=12)
optim_wrapper = dict(type='BF16OptimWrapper', optimizer=dict(lr=0.12, weight_decay=5e-4))
auto_scale_lr = dict(base_batch_size=512)
custom_hooks = [
    dict(
        type='KNNHook',
        interval=20,
        bank_dataloader='$bank_dataloader',
        query_dataloader='$query_dataloader',
    )
]
