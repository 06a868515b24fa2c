"""SimCLR with two large and four small crops, CIFAR-10, a quarter-width ResNet-10, 6 epochs.

Paper: Caron et al. 2020 (SwAV, arXiv 2006.09882) for the crops; their sizes and areas, network and
    budget are ours, for a CPU.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/multi_crop/simclr-multi-crop_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 1 CPU core; minutes not yet measured.
Expected: kNN top-1 (k=20) at least 8 points above the untrained network.
Measured: kNN top-1 (k=20) 50.8, untrained 32.5, at the budget of
    docs/comparisons.md; two crops at equal time 53.6.
"""

_base_ = [
    '../simclr/simclr_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py',
    './_base_/crops_cifar10.py',
]

model = dict(num_views=6)
train_dataloader = dict(dataset=dict(pipeline=['$crops', dict(type='PackInputs')]))
