"""DCL, CIFAR-10, ResNet-50 with the small-image stem, 100 epochs of Adam: a public recipe.

Paper: Yeh et al. 2022 (Decoupled Contrastive Learning, arXiv 2110.06848), which has no public code
    of its own; network, views, projection 2048-512-128, batch, rate, decay, temperature and length
    are those of the best-known code of a third party (raminnakhli/Decoupled-Contrastive-Learning),
    whose text says ResNet-18 where its code builds ResNet-50. There each view passes the network
    on its own, here both pass as one batch; the batch norm in the projection is recalled.
Command: python tools/train.py configs/dcl/dcl_resnet50_1xb256-constant-100e_cifar10.py
Hardware: 1 GPU; hours not yet measured.
Expected: linear probe top-1 85.36 (that code, batch 256, a probe of 100 epochs with Adam).
Measured: not yet measured.
"""

_base_ = 'dcl_resnet18_1xb256-cosine-200e_cifar10.py'

model = dict(
    backbone=dict(depth=50), neck=dict(in_channels=2048, hidden_channels=512, norm='hidden')
)
view_pipeline = [
    dict(type='RandomResizedCrop', size=32, scale=(0.08, 1.0)),
    dict(type='RandomFlip', prob=0.5),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    dict(type='RandomGrayscale', prob=0.2),
]
views = dict(type='MultiView', transforms=['$view_pipeline'], num_views=[2])
train_dataloader = dict(dataset=dict(pipeline=['$views', dict(type='PackInputs')]))
optim_wrapper = dict(optimizer=dict(_delete_=True, type='Adam', lr=1e-3, weight_decay=1e-6))
param_scheduler = []
train_cfg = dict(max_epochs=100)
