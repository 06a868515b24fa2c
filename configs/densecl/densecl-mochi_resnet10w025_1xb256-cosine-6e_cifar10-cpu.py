"""DenseCL with MoCHi (256, 128, 64) on whole images and on cells, CIFAR-10, ResNet-10, 6 epochs.

Paper: Wang et al., CVPR 2021 (arXiv 2011.09157), and Kalantidis et al., NeurIPS 2020 (arXiv
    2010.01028); mixing the negatives of cells, network and budget are ours.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/densecl/densecl-mochi_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 2 CPU cores; minutes not yet measured.
Expected: kNN top-1 (k=20) at least 8 points above the untrained network.
Measured: kNN top-1 (k=20) 44.2, untrained 31.3, at the budget of docs/family.md.
"""

_base_ = 'densecl_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

mixing = dict(
    type='HardNegativeMixing',
    num_hard=256,
    start_epoch=2,
    mixers=[
        dict(type='PairMixing', num=128),
        dict(type='QueryMixing', num=64),
    ],
)
model = dict(head=dict(mixing=mixing), heads=dict(dense=dict(mixing=mixing)))
