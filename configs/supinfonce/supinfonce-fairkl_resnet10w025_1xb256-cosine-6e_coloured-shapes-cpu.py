"""Epsilon-SupInfoNCE with FairKL on colored scenes.

Paper: Barbano et al. 2023 (arXiv 2211.05568); data, network, budget and weight are ours.
Command: python tools/train.py \\
    configs/supinfonce/supinfonce-fairkl_resnet10w025_1xb256-cosine-6e_coloured-shapes-cpu.py
Hardware: 1 CPU core.
Expected: a narrower gap between biased and unbiased kNN accuracy than without FairKL.
Measured: not yet measured.
"""

_base_ = 'supinfonce_resnet10w025_1xb256-cosine-6e_coloured-shapes-cpu.py'

model = dict(heads=dict(fair_kl=dict(type='FairKLHead', weight=5.0, tap='backbone')))
