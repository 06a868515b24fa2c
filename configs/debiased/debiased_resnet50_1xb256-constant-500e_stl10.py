"""Debiased SimCLR, STL-10, ResNet-50 with the small-image stem, 500 epochs of Adam.

Paper: Chuang et al. 2020 (Debiased Contrastive Learning, arXiv 2007.00224); all settings of the
    authors' code. Its blur is cut off at three pixels, ours is not; there each view passes the
    network on its own, here both pass as one batch.
Command: python tools/train.py configs/debiased/debiased_resnet50_1xb256-constant-500e_stl10.py
Hardware: 1 GPU; hours not yet measured.
Expected: linear probe top-1 84.26 (authors' README, tau_plus 0.1; 80.15 without).
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/stl10.py',
    '../_base_/models/in_batch_resnet18_small.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    channels_last=True,
    data_preprocessor=dict(std=(51.587, 50.847, 51.255)),
    backbone=dict(depth=50),
    neck=dict(in_channels=2048, norm='hidden'),
    head=dict(temperature=0.5, negatives=dict(type='NegativeEstimator', beta=0.0, tau_plus=0.1)),
)
optim_wrapper = dict(optimizer=dict(_delete_=True, type='Adam', lr=1e-3, weight_decay=1e-6))
param_scheduler = []
train_cfg = dict(max_epochs=500)
