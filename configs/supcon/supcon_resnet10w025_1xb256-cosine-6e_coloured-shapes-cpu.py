"""SupCon on colored scenes, where a tint goes with the class: the baseline that learns the tint.

Paper: Khosla et al. 2020 (SupCon, arXiv 2004.11362); data, network and budget are ours.
Command: python tools/train.py \\
    configs/supcon/supcon_resnet10w025_1xb256-cosine-6e_coloured-shapes-cpu.py
Hardware: 1 CPU core.
Expected: a wide gap between biased and unbiased kNN accuracy.
Measured: kNN top-1 (k=20) 97.7 biased, 90.7 unbiased, at the budget of
    docs/family.md.
"""

_base_ = [
    '../_base_/datasets/coloured_shapes.py',
    '../_base_/models/in_batch_resnet18_small.py',
    '../_base_/schedules/sgd_cosine_6e_cpu.py',
    '../_base_/default_runtime.py',
]

model = dict(
    channels_last=True,
    backbone=dict(depth=10, width=0.25),
    neck=dict(in_channels=128, hidden_channels=128, norm='all', last_affine=False),
    head=dict(type='SupConHead', temperature=0.1),
)
