"""SupCon against a labeled queue of 8,192 keys, ImageNet-1K, ResNet-50, batch 256.

Paper: Khosla et al., NeurIPS 2020 (arXiv 2004.11362): memory, batch and optimizer as it states
    them; rate, decay, key encoder and augmentation are MoCo-v2's.
Command: tools/dist_train.sh configs/supcon_memory/supcon-memory_resnet50_8xb32-cosine-350e_in1k.py \\
    8
Hardware: 8 GPUs; hours not yet measured.
Expected: top-1 79.1 of the authors' run with memory 8,192 and batch 256, whose other settings are
    not known to be these.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/imagenet.py',
    '../_base_/models/moco_resnet50.py',
    '../_base_/schedules/sgd_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = dict(head=dict(type='SupConHead', temperature=0.1, memory=dict(length=8192)))
param_scheduler = [
    dict(
        type='CosineAnnealingLR',
        T_max='$train_cfg.max_epochs',
        by_epoch=True,
        begin=0,
        end='$train_cfg.max_epochs',
    )
]
train_cfg = dict(max_epochs=350)
