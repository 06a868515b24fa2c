"""SCE, CIFAR-10, a quarter-width ResNet-10, 6 epochs: a real run for two CPU cores.

Paper: Denize et al., WACV 2023 (arXiv 2111.14585); network and budget are ours, for a CPU.
Command: python tools/train.py \\
    configs/sce/sce_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 2 CPU cores; minutes not yet measured.
Expected: kNN top-1 (k=20) at least 8 points above the untrained network.
Measured: kNN top-1 (k=20) 41.1, untrained 31.3, at the budget of
    docs/family.md.
"""

_base_ = '../mocov2/mocov2_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(
    type='MoCo',
    neck=dict(norm='hidden', last_affine=True),
    head=dict(type='SoftContrastiveHead', key_temperature=0.05),
)
weak_view = [dict(type='RandomResizedCrop', size=32), dict(type='RandomFlip', prob=0.5)]
# The trained encoder sees the strong view, the key encoder the weak one.
views = dict(type='MultiView', transforms=['$view_pipeline', '$weak_view'], num_views=[1, 1])
train_dataloader = dict(dataset=dict(pipeline=['$views', dict(type='PackInputs')]))
