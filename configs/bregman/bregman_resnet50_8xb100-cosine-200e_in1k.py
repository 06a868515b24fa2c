"""Deep Bregman divergence, ImageNet-1K, ResNet-50, 200 epochs at batch 800.

Paper: Rezaei et al. (arXiv 2109.07455); settings of the authors' code (csfarzin/BeCLR): 200
    sub-networks 128-100-1 on embeddings of any length, temperature 0.1, Adam.
Command: tools/dist_train.sh configs/bregman/bregman_resnet50_8xb100-cosine-200e_in1k.py 8
Hardware: 8 GPUs; hours not yet measured.
Expected: no figure was read at its source.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/imagenet_simclr.py',
    '../_base_/models/in_batch_resnet50.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    neck=dict(norm='hidden'),
    head=dict(
        type='BregmanHead',
        num_subnets=200,
        hidden_channels=100,
        normalize_input=False,
    ),
)
train_dataloader = dict(batch_size=100)
optim_wrapper = dict(optimizer=dict(_delete_=True, type='Adam', lr=1e-4, weight_decay=1e-6))
auto_scale_lr = dict(base_batch_size=800)
