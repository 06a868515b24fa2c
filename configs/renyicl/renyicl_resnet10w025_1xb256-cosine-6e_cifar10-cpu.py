"""RenyiCL, CIFAR-10, a quarter-width ResNet-10, 6 epochs: a real run for two CPU cores.

Paper: Lee and Shin 2022 (RenyiCL, arXiv 2208.06270); gamma, alpha and temperature of the authors'
    code; network, budget, rate, decay of the key encoder and views, those of the other CPU-sized
    configs, are ours.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/renyicl/renyicl_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 1 CPU core.
Expected: kNN top-1 (k=20) at least 8 points above the untrained network.
Measured: kNN top-1 (k=20) 43.4, untrained 31.3, at the budget of
    docs/family.md.
"""

_base_ = '../mocov2/mocov2_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(
    online_views=(0, 1),
    target_views=(0, 1),
    predictor=dict(
        type='MLPNeck',
        in_channels=128,
        hidden_channels=128,
        out_channels=128,
        norm='hidden',
        last_bias=False,
    ),
    head=dict(_delete_=True, type='SkewRenyiHead', gamma=2.0, alpha=1 / 65536, temperature=0.5),
)
