"""DCLW, ImageNet-1K, ResNet-50, batch 256, 200 epochs.

Paper: Yeh et al. 2022 (Decoupled Contrastive Learning, arXiv 2110.06848); the paper's own rate and
    temperature are not known: rate 0.075 sqrt(256), decay and temperature are lightly's.
Command: tools/dist_train.sh configs/dcl/dclw_resnet50_8xb32-cosine-200e_in1k.py 8
Hardware: 8 GPUs; hours not yet measured.
Expected: none known for the right loss at this length.
Measured: not yet measured.
"""

_base_ = 'dcl_resnet50_8xb32-cosine-200e_in1k.py'

model = dict(head=dict(sigma=0.5))
