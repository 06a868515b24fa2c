"""InterCLR on MoCo-v2, ImageNet-1K, ResNet-50, 200 epochs.

Paper: Xie et al., IJCV 2022; settings of the authors' code (mmselfsup, branch 0.x): 10,000 clusters
    of random weights' features, centroids every 10 iterations, 16,384 of the 128,000 nearest rows,
    margin -0.5, weights 0.75 and 0.25. Small clusters are looked for when centroids move, there at
    each iteration.
Command: tools/dist_train.sh configs/interclr/interclr_resnet50_8xb32-cosine-200e_in1k.py 8
Hardware: 8 GPUs; hours not yet measured. A step copies the bank, 656 MB.
Expected: linear probe top-1 68.04 (authors' metafile, feature5).
Measured: not yet measured.
"""

_base_ = '../mocov2/mocov2_resnet50_8xb32-cosine-200e_in1k.py'

model = dict(
    head=dict(
        type='InterClusterHead',
        bank=dict(type='ClusterBank', length=1281167, num_clusters=10000, dim=128),
        inter_weight=0.25,
        margin=-0.5,
        sampler='semi_hard',
        num_negatives=16384,
        pool=128000,
    )
)
custom_hooks = [
    dict(
        type='PseudoLabelHook',
        label_dataloader='$bank_dataloader',
        interval=None,
        start_epoch=0,
        encoder='online',
    ),
    dict(type='ClusterUpkeepHook', interval=10),
]
