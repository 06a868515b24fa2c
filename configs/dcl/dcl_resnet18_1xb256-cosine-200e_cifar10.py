"""DCL, CIFAR-10, ResNet-18, 200 epochs on one GPU.

Paper: Yeh et al. 2022 (Decoupled Contrastive Learning, arXiv 2110.06848); temperature as in public
    code; network, optimizer and length are ours, those of the other CIFAR-10 configs here. The
    public recipe is dcl_resnet50_1xb256-constant-100e_cifar10.
Command: python tools/train.py configs/dcl/dcl_resnet18_1xb256-cosine-200e_cifar10.py
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

model = dict(channels_last=True, head=dict(type='DecoupledHead', temperature=0.1))
train_dataloader = dict(num_workers=12)
optim_wrapper = dict(optimizer=dict(lr=0.06, weight_decay=5e-4))
