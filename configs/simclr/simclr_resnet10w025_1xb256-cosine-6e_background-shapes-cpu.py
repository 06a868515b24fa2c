"""SimCLR on scenes whose background goes with the class: the baseline without masks.

Paper: Chen et al. 2020 (SimCLR, arXiv 2002.05709); data, network and budget are ours.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/simclr/simclr_resnet10w025_1xb256-cosine-6e_background-shapes-cpu.py
Hardware: 1 CPU core; minutes not yet measured.
Expected: a gap between own and exchanged backgrounds.
Measured: kNN top-1 (k=20) 40.5 on own backgrounds, 8.4 on exchanged ones, untrained 71.6 and
    5.4, at the budget of docs/comparisons.md.
"""

_base_ = [
    '../_base_/datasets/background_shapes.py',
    '../_base_/models/in_batch_resnet18_small.py',
    '../_base_/schedules/sgd_cosine_6e_cpu.py',
    '../_base_/default_runtime.py',
]

model = dict(
    channels_last=True,
    backbone=dict(depth=10, width=0.25),
    neck=dict(in_channels=128, hidden_channels=128, norm='all', last_affine=False),
    head=dict(temperature=0.2),
)
