"""MoCo-v2 with two large and four small crops, CIFAR-10, a quarter-width ResNet-10, 6 epochs.

Paper: Caron et al. 2020 (SwAV, arXiv 2006.09882) for the crops; their sizes and areas, network and
    budget are ours, for a CPU.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/multi_crop/mocov2-multi-crop_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 1 CPU core; minutes not yet measured.
Expected: kNN top-1 (k=20) at least 8 points above the untrained network.
Measured: kNN top-1 (k=20) 46.6, untrained 32.5, at the budget of
    docs/comparisons.md; two crops at equal time 51.3.
"""

_base_ = [
    '../mocov2/mocov2_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py',
    './_base_/crops_cifar10.py',
]

# Every crop is a query of the large ones; these alone are keys.
model = dict(online_views=(0, 1, 2, 3, 4, 5), target_views=(0, 1))
train_dataloader = dict(dataset=dict(pipeline=['$crops', dict(type='PackInputs')]))
