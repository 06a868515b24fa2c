"""CMC, CIFAR-10, two half-width ResNet-18 on L and ab, 200 epochs.

Paper: Tian et al., ECCV 2020 (arXiv 1906.05849); it has no CIFAR-10 setting, so networks and
    schedule are ours.
Command: python tools/train.py configs/cmc/cmc_resnet18w05_1xb256-cosine-200e_cifar10.py
Hardware: 1 GPU; hours not yet measured.
Expected: none published for these settings.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/cifar10.py',
    '../_base_/models/cmc_resnet18_small.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(batch_size=256, num_workers=12, dataset=dict(pipeline='$probe_pipeline'))
optim_wrapper = dict(optimizer=dict(lr=0.03, weight_decay=5e-4))
