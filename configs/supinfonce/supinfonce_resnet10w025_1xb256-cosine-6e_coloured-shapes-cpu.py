"""Epsilon-SupInfoNCE on colored scenes.

Paper: Barbano et al. 2023 (arXiv 2211.05568); data, network and budget are ours.
Command: python tools/train.py \\
    configs/supinfonce/supinfonce_resnet10w025_1xb256-cosine-6e_coloured-shapes-cpu.py
Hardware: 1 CPU core.
Expected: none published for these images.
Measured: not yet measured.
"""

_base_ = '../supcon/supcon_resnet10w025_1xb256-cosine-6e_coloured-shapes-cpu.py'

model = dict(head=dict(type='SupInfoNCEHead', margin=0.25))
