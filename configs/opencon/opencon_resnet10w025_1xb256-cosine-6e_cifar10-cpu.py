"""OpenCon, CIFAR-10 with 5 known classes, a quarter-width ResNet-10, 6 epochs: for a CPU core.

Paper: Sun and Li 2023 (OpenCon, TMLR, arXiv 2208.02764); weights of the terms and temperatures are
    the authors'; network, budget, rate and ramp are ours, for a CPU.
Command: python tools/train.py \\
    configs/opencon/opencon_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py --cfg-options \\
    load_from=work_dirs/simclr_resnet10w025_1xb256-cosine-6e_cifar10-cpu/epoch_6.pth \\
    'load_partial=[backbone,neck]'
Hardware: 1 CPU core.
Expected: accuracy on all classes above that of k-means on features of the same checkpoint.
Measured: all classes 49.6 (transductive), k-means on the same features 41.2, at the budget of
    docs/comparisons.md.
"""

_base_ = [
    '../_base_/datasets/cifar10_open_world.py',
    '../_base_/models/in_batch_resnet18_small.py',
    '../_base_/schedules/sgd_cosine_6e_cpu.py',
    '../_base_/default_runtime.py',
]

model = dict(
    channels_last=True,
    backbone=dict(depth=10, width=0.25),
    neck=dict(in_channels=128, hidden_channels=128, norm='all', last_affine=False),
    head=dict(
        _delete_=True,
        type='OpenConHead',
        num_classes=10,
        num_known='$num_known',
        labeled_share='$labeled_share',
        in_channels=128,
        novel_ramp=0.02,
    ),
)
train_dataloader = dict(batch_size=256, num_workers=1, pin_memory=False)
optim_wrapper = dict(optimizer=dict(lr=0.1))
train_cfg = dict(val_interval=3)
