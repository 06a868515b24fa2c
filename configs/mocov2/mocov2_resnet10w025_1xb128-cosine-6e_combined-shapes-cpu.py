"""MoCo-v2, generated scenes of 100 classes, a quarter-width ResNet-10, 6 epochs on one CPU core.

Paper: Chen et al. 2020 (arXiv 2003.04297); network, data and budget are ours.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/mocov2/mocov2_resnet10w025_1xb128-cosine-6e_combined-shapes-cpu.py
Hardware: 1 CPU core; minutes not yet measured.
Expected: kNN top-1 above that of the untrained network.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/combined_shapes.py',
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
train_cfg = dict(max_epochs=6)
custom_hooks = [
    dict(
        type='KNNHook',
        interval=3,
        bank_dataloader='$bank_dataloader',
        query_dataloader='$query_dataloader',
    )
]
