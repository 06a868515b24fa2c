"""FNC in the batch, attraction, CIFAR-10, a quarter-width ResNet-10, 6 epochs on two CPU cores.

Paper: Huynh et al., WACV 2022 (arXiv 2011.11765); network, budget and two support views that only
    score are ours, for a CPU.
Command: python tools/train.py \\
    configs/fnc/fnc_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 2 CPU cores; minutes not yet measured.
Expected: kNN top-1 (k=20) at least 8 points above the untrained network.
Measured: kNN top-1 (k=20) 44.9, untrained 31.3, at the budget of
    docs/family.md.
"""

_base_ = '../simclr/simclr_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(
    num_views=4,
    head=dict(
        type='FalseNegativeHead',
        finder=dict(type='FalseNegativeFinder', num_support=2, support='score'),
    ),
)
views = dict(type='MultiView', transforms=['$view_pipeline'], num_views=[4])
train_dataloader = dict(dataset=dict(pipeline=['$views', dict(type='PackInputs')]))
