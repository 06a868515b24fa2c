"""Epsilon-SupInfoNCE, ImageNet-1K, ResNet-50, batch 256, 200 epochs.

Paper: Barbano et al. 2023 (arXiv 2211.05568), which has no ImageNet-1K: temperature of its code,
    margin of an independent one, schedule of the other methods here.
Command: tools/dist_train.sh configs/supinfonce/supinfonce_resnet50_8xb32-cosine-200e_in1k.py 8
Hardware: 8 GPUs; hours not yet measured.
Expected: none published for this setting.
Measured: not yet measured.
"""

_base_ = '../dcl/dcl_resnet50_8xb32-cosine-200e_in1k.py'

model = dict(head=dict(type='SupInfoNCEHead', margin=0.25, temperature=0.07))
