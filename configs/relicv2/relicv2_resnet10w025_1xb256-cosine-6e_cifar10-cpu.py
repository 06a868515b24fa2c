"""ReLICv2 without masks, CIFAR-10, a quarter-width ResNet-10, 6 epochs: for two CPU cores.

Paper: Tomasev et al. 2022 (ReLICv2, arXiv 2201.05119); two crops of one size and no masks, of which
    CIFAR-10 has none; negatives, temperature and weights as recalled; network, budget, rate, views
    and decay of the averaged encoder are ours, for a CPU.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/relicv2/relicv2_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 1 CPU core; minutes not yet measured.
Expected: kNN top-1 (k=20) at least 8 points above the untrained network.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/cifar10.py',
    '../_base_/models/moco_resnet18_small.py',
    '../_base_/schedules/sgd_cosine_6e_cpu.py',
    '../_base_/default_runtime.py',
]

model = dict(
    channels_last=True,
    online_views=(0, 1),
    target_views=(0, 1),
    batch_shuffle='none',
    ema_decay=0.98,
    ema_schedule='cosine',
    backbone=dict(depth=10, width=0.25),
    neck=dict(in_channels=128, hidden_channels=128, norm='all', last_affine=False),
    head=dict(_delete_=True, type='InvarianceHead', num_negatives=10, temperature=0.3),
)
train_dataloader = dict(batch_size=256, num_workers=1, pin_memory=False)
custom_hooks = [
    dict(
        type='KNNHook',
        interval=3,
        bank_dataloader='$bank_dataloader',
        query_dataloader='$query_dataloader',
    )
]
