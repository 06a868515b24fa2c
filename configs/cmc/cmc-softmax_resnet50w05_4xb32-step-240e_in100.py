"""CMC, ImageNet-100, two half-width ResNet-50 on Y and CbCr, softmax with 4,096 negatives.

Paper: Tian et al., ECCV 2020 (arXiv 1906.05849); settings of the authors' code (HobbitLong/CMC).
Command: tools/dist_train.sh configs/cmc/cmc-softmax_resnet50w05_4xb32-step-240e_in100.py 4
Hardware: 4 GPUs; hours not yet measured.
Expected: linear probe top-1 75.8 (authors' README, this network, softmax, YCbCr, 4,096 negatives).
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/imagenet100.py',
    '../_base_/models/cmc_resnet50.py',
    '../_base_/schedules/sgd_step_240e.py',
    '../_base_/default_runtime.py',
]

# One row an image; a copy of another size is refused at the start, with its number of images.
bank = dict(type='InstanceBank', length=126689, dim=128, ema_decay=0.5)
model = dict(
    data_preprocessor=dict(space='ycbcr'), head=dict(form='softmax', memories=['$bank', '$bank'])
)
train_dataloader = dict(dataset=dict(pipeline='$probe_pipeline'))
