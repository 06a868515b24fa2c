"""MoCo-v2, 100 classes of Tiny ImageNet at 32 pixels, a quarter-width ResNet-10, for one CPU core.

Paper: Chen et al. 2020 (arXiv 2003.04297); network, budget and the milder task are ours: views and
    queue such that queries tell their key from the queue's by the end, no batch norm at the output.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/mocov2/mocov2_resnet10w025_1xb128-cosine-15e_tiny-imagenet100-cpu.py
Hardware: 1 CPU core; minutes not yet measured.
Expected: own key told from the queue in at least half of the cases at the end of the run.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/tiny_imagenet100_32px.py',
    '../_base_/models/moco_resnet18_small.py',
    '../_base_/schedules/sgd_clipped_cosine_15e_cpu.py',
    '../_base_/default_runtime.py',
]

model = dict(
    channels_last=True,
    ema_decay=0.98,
    batch_shuffle='none',
    backbone=dict(depth=10, width=0.25),
    neck=dict(in_channels=128, hidden_channels=128, norm='hidden'),
    head=dict(memory=dict(length=1024)),
)
custom_hooks = [
    dict(
        type='KNNHook',
        interval=5,
        bank_dataloader='$bank_dataloader',
        query_dataloader='$query_dataloader',
    )
]
