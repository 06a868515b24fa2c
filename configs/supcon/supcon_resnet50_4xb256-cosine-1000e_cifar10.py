"""SupCon, CIFAR-10, ResNet-50 with the small-image stem, batch 1,024, 1,000 epochs.

Paper: Khosla et al. 2020 (SupCon, arXiv 2004.11362); views, network, batch, rate and its end,
    warm-up, decay and temperature of the authors' PyTorch code, its loss scaled by temperature /
    0.07, its batch norms local to a GPU and its cosine over all epochs, under the warm-up too. One
    thing differs: they divide the colors by 51 gray levels, not 63.
Command: tools/dist_train.sh configs/supcon/supcon_resnet50_4xb256-cosine-1000e_cifar10.py 4
Hardware: 4 GPUs; hours not yet measured.
Expected: linear classifier top-1 96.0 (paper and the authors' code).
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/cifar10.py',
    '../_base_/models/in_batch_resnet18_small.py',
    '../_base_/schedules/sgd_warm_cosine_1000e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    channels_last=True,
    backbone=dict(depth=50),
    neck=dict(in_channels=2048, hidden_channels=2048),
    head=dict(type='SupConHead', temperature=0.1, base_temperature=0.07),
)
train_dataloader = dict(num_workers=8)
