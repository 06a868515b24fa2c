"""SCE with MoCHi's synthetic negatives (256, 128, 64), CIFAR-10, 6 epochs on two CPU cores.

Paper: Denize et al., WACV 2023, with Kalantidis et al., NeurIPS 2020; the combination is ours.
Command: python tools/train.py \\
    configs/sce/sce-mochi-256-128-64_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 2 CPU cores; minutes not yet measured.
Expected: kNN top-1 (k=20) at least 8 points above the untrained network.
Measured: kNN top-1 (k=20) 41.7, untrained 31.3, at the budget of
    docs/family.md.
"""

_base_ = './sce_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(
    head=dict(
        mixing=dict(
            num_hard=256,
            start_epoch=2,
            mixers=[dict(type='PairMixing', num=128), dict(type='QueryMixing', num=64)],
        )
    )
)
