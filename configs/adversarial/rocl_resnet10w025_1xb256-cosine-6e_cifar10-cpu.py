"""Adversarial SimCLR in the manner of RoCL, CIFAR-10, a quarter-width ResNet-10, 6 epochs.

Paper: Kim et al. 2020 (RoCL, arXiv 2006.07589); steps of the attack, network and budget are ours,
    for a CPU; without its further terms.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/adversarial/rocl_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 1 CPU core; minutes not yet measured.
Expected: kNN top-1 (k=20) above that of the untrained network.
Measured: fast linear probe 47.8 clean, 33.5 under PGD-20 at 2/255 (SimCLR 51.9, 24.3),
    at the budget of docs/comparisons.md.
"""

_base_ = '../simclr/simclr_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(
    type='AdversarialContrast',
    streams='joint',
    separate_norms=False,
    view_editors=[
        dict(
            type='AdversarialViews',
            attack=dict(epsilon=8 / 255, step_size=4 / 255, steps=3),
            views=(0,),
        )
    ],
)
