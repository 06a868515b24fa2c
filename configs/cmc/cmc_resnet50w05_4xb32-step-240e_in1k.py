"""CMC, ImageNet-1K, two half-width ResNet-50 on L and ab, NCE with 4,096 negatives, 240 epochs.

Paper: Tian et al., ECCV 2020 (arXiv 1906.05849); settings of the authors' code (HobbitLong/CMC).
Command: tools/dist_train.sh configs/cmc/cmc_resnet50w05_4xb32-step-240e_in1k.py 4
Hardware: 4 GPUs; hours not yet measured.
Expected: no figure that belongs to these settings; the authors' README names 68.4 as the best of
    several ResNets.
Measured: not yet measured.
"""

_base_ = [
    '../_base_/datasets/imagenet.py',
    '../_base_/models/cmc_resnet50.py',
    '../_base_/schedules/sgd_step_240e.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(dataset=dict(pipeline='$probe_pipeline'))
