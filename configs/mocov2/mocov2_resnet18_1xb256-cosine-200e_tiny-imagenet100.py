"""MoCo-v2, 100 classes of Tiny ImageNet, ResNet-18, 200 epochs on one GPU.

Paper: Chen et al. 2020 (arXiv 2003.04297); a small stand-in for ImageNet-100, not comparable with it.
Command: python tools/train.py configs/mocov2/mocov2_resnet18_1xb256-cosine-200e_tiny-imagenet100.py
Hardware: 1 GPU; hours not yet measured.
Expected: none published for these images.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/tiny_imagenet100.py',
    '../_base_/models/moco_resnet18_small.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = dict(channels_last=True, head=dict(memory=dict(length=16384)), ema_decay=0.995)
optim_wrapper = dict(type='BF16OptimWrapper', optimizer=dict(lr=0.06, weight_decay=5e-4))
custom_hooks = [
    dict(
        type='KNNHook',
        interval=20,
        bank_dataloader='$bank_dataloader',
        query_dataloader='$query_dataloader',
    )
]
