"""MoCo-v2 that goes on from weights of other images on CIFAR-10, under a guard, for one CPU core.

Paper: Chen et al. 2020 (arXiv 2003.04297); going on, guard and layer-wise rates are this project's.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/mocov2/mocov2_resnet10w025_1xb128-continued-15e_cifar10-cpu.py --from WEIGHTS
Hardware: 1 CPU core; minutes not yet measured.
Expected: kNN top-1 at the end above that of the weights at the start.
Measured: not yet measured.
"""

_base_ = './mocov2_resnet10w025_1xb128-cosine-15e_tiny-imagenet100-cpu.py'

data_root = 'data/cifar10'
optim_wrapper = dict(
    optimizer=dict(lr=0.05), constructor='LayerWiseRates', paramwise_cfg=dict(layer_decay=0.7)
)
custom_hooks = [
    dict(
        type='RepresentationGuardHook',
        dataloader='$query_dataloader',
        bank_dataloader='$bank_dataloader',
        stop=True,
    )
]
