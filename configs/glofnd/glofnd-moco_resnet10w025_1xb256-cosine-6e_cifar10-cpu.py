"""GloFND's thresholds on MoCo-v2, CIFAR-10, a quarter-width ResNet-10, 6 epochs on two CPU cores.

Paper: Balmaseda et al., ICML 2025 (arXiv 2502.20612); the queue in the place of the batch, network
    and budget are ours. alpha is the share of a class; a threshold is met once an epoch, so it
    takes larger steps here than there, from the start on.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/glofnd/glofnd-moco_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 2 CPU cores; minutes not yet measured.
Expected: kNN top-1 (k=20) at least 8 points above the untrained network.
Measured: kNN top-1 (k=20) 44.4, untrained 32.5, at the budget of
    docs/comparisons.md.
"""

_base_ = '../mocov2/mocov2_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(
    head=dict(
        mask_own_keys=True,
        threshold=dict(
            type='NegativeThreshold',
            length=50000,
            alpha=0.1,
            lr=0.2,
            start_epoch=2,
            update_epoch=0,
        ),
    )
)
