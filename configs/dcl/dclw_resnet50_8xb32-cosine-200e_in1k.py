"""DCLW, ImageNet-1K, ResNet-50, batch 256, 200 epochs.

Paper: Yeh et al. 2022 (Decoupled Contrastive Learning, arXiv 2110.06848); the paper's own rate and
    temperature are not known: rate 0.075 sqrt(256), decay and temperature are lightly's.
Command: tools/dist_train.sh configs/dcl/dclw_resnet50_8xb32-cosine-200e_in1k.py 8
Hardware: 8 GPUs; hours not yet measured.
Expected: none known for the right loss at this length.
Measured: not yet measured.
"""

_base_ = '../simclr/simclr_resnet50_16xb256-cosine-200e_in1k.py'

model = dict(head=dict(type='DecoupledHead', temperature=0.1, sigma=0.5))
train_dataloader = dict(batch_size=32)
optim_wrapper = dict(optimizer=dict(lr=1.2))
auto_scale_lr = dict(base_batch_size=256)
