"""GloFND on SimCLR, ImageNet-100, ResNet-50, batch 512, 200 epochs.

Paper: Balmaseda et al., ICML 2025 (arXiv 2502.20612); settings of the authors' README and train.py
    for the SimCLR form (`cl`): alpha 0.01, thresholds from epoch 70 on, LARS at 0.075 sqrt(batch).
    weight=2.0 makes the mean over anchors their sum of both directions. Strength of the colors is
    MoCo-v2's, which is not checked.
Command: tools/dist_train.sh configs/glofnd/glofnd_resnet50_4xb128-cosine-200e_in100.py 4
Hardware: 4 GPUs; hours not yet measured.
Expected: none: the paper's tables were not at hand.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/imagenet100.py',
    '../_base_/models/in_batch_resnet50.py',
    '../_base_/schedules/lars_cosine_200e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    head=dict(
        weight=2.0,
        # Images of CMC's 100 classes; a run says so where the folder has others.
        threshold=dict(
            type='NegativeThreshold', length=126689, alpha=0.01, lr=0.05, start_epoch=70
        ),
    )
)
view_pipeline = [
    dict(type='RandomResizedCrop', size=224, scale=(0.08, 1.0)),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1, prob=0.8),
    dict(type='RandomGrayscale', prob=0.2),
    dict(type='GaussianBlur', sigma=(0.1, 2.0), prob=1.0),
    dict(type='RandomFlip', prob=0.5),
]
train_dataloader = dict(batch_size=128)
optim_wrapper = dict(optimizer=dict(lr=1.7, weight_decay=1e-6))  # 0.075 sqrt(512)
auto_scale_lr = dict(base_batch_size=512)
