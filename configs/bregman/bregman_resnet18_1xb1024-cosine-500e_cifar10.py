"""Deep Bregman divergence, CIFAR-10, ResNet-18, 500 epochs at batch 1,024.

Paper: Rezaei et al. (arXiv 2109.07455); settings of the authors' code (csfarzin/BeCLR) on a smaller
    network: 100 sub-networks 128-512-1, sigma 0.9, temperature 0.5, Adam.
Command: python tools/train.py configs/bregman/bregman_resnet18_1xb1024-cosine-500e_cifar10.py
Hardware: 1 GPU; hours not yet measured.
Expected: no figure was read at its source.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/cifar10.py',
    '../_base_/models/in_batch_resnet18_small.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = dict(channels_last=True, neck=dict(norm='hidden'), head=dict(type='BregmanHead'))
train_dataloader = dict(batch_size=1024, num_workers=12)
optim_wrapper = dict(optimizer=dict(_delete_=True, type='Adam', lr=5e-3, weight_decay=1e-6))
train_cfg = dict(max_epochs=500)
auto_scale_lr = dict(base_batch_size=1024)
knn = dict(
    type='KNNHook',
    interval=20,
    bank_dataloader='$bank_dataloader',
    query_dataloader='$query_dataloader',
)
custom_hooks = ['$knn', dict(similarity='learned', **knn)]
