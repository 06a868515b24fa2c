"""MoCo-v2, CIFAR-10, a quarter-width ResNet-10, 6 epochs: a real run for two CPU cores.

Paper: Chen et al. 2020 (arXiv 2003.04297); network and budget are ours, for a CPU. What a short run
    needs: a batch norm in the neck, a key encoder that follows quickly, a high rate.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/mocov2/mocov2_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 2 CPU cores; 19 minutes of CPU time over the two (AMD EPYC, AVX2).
Expected: kNN top-1 (k=20) at least 15 points above the untrained network.
Measured: kNN top-1 (k=20) 52.4, untrained 35.0.
"""

_base_ = [
    '../_base_/datasets/cifar10.py',
    '../_base_/models/moco_resnet18_small.py',
    '../_base_/schedules/sgd_cosine_6e_cpu.py',
    '../_base_/default_runtime.py',
]

model = dict(
    channels_last=True,
    ema_decay=0.98,
    batch_shuffle='none',
    backbone=dict(depth=10, width=0.25),
    neck=dict(in_channels=128, hidden_channels=128, norm='all', last_affine=False),
)
# One core trains (OMP_NUM_THREADS=1), the other makes the views: two threads that wait for each
# other on busy cores are slower than one.
train_dataloader = dict(batch_size=256, num_workers=1, pin_memory=False)
custom_hooks = [
    dict(
        type='KNNHook',
        interval=3,
        bank_dataloader='$bank_dataloader',
        query_dataloader='$query_dataloader',
    )
]
