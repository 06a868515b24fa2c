"""MoCo-v2 on generated scenes of four channels of 16 bits, a quarter-width ResNet-10, 15 epochs.

The pattern for images that are no RGB photographs (docs/your_images.md).
Paper: Chen et al. 2020 (arXiv 2003.04297); network, data and budget are ours.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/mocov2/mocov2_resnet10w025_1xb128-cosine-15e_channel-shapes-cpu.py
Hardware: 1 CPU core; minutes not yet measured.
Expected: kNN top-1 (k=20) at least 5 points above the untrained network.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/channel_shapes.py',
    '../_base_/models/moco_resnet18_small.py',
    '../_base_/schedules/sgd_clipped_cosine_15e_cpu.py',
    '../_base_/default_runtime.py',
]

model = dict(
    channels_last=True,
    ema_decay=0.95,
    batch_shuffle='none',
    data_preprocessor=dict(mean='$mean', std='$std'),
    backbone=dict(depth=10, width=0.25, stem='imagenet', in_channels='$channels'),
    neck=dict(in_channels=128, hidden_channels=128, out_channels=64, norm='all', last_affine=False),
    head=dict(memory=dict(length=1024, dim=64)),
)
custom_hooks = [
    dict(
        type='KNNHook',
        interval=5,
        at_start=True,
        bank_dataloader='$bank_dataloader',
        query_dataloader='$query_dataloader',
    )
]
