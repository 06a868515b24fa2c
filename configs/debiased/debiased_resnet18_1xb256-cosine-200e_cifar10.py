"""Debiased SimCLR, CIFAR-10, ResNet-18, 200 epochs on one GPU.

Paper: Chuang et al. 2020 (Debiased Contrastive Learning, arXiv 2007.00224); temperature and
    tau_plus of the authors' code, network, optimizer and length are ours, those of the other
    CIFAR-10 configs here.
Command: python tools/train.py configs/debiased/debiased_resnet18_1xb256-cosine-200e_cifar10.py
Hardware: 1 GPU; hours not yet measured.
Expected: none published for this setting.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/cifar10.py',
    '../_base_/models/in_batch_resnet18_small.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    channels_last=True,
    head=dict(temperature=0.5, negatives=dict(type='NegativeEstimator', beta=0.0, tau_plus=0.1)),
)
train_dataloader = dict(num_workers=12)
optim_wrapper = dict(optimizer=dict(lr=0.06, weight_decay=5e-4))
