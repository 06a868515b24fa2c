"""IFND, elimination, on MoCo-v2, ImageNet-1K, ResNet-50, 200 epochs.

Paper: Chen et al., ICLR 2022 (arXiv 2106.03719 [recalled]); ResNet-50, SGD and eight GPUs were read
    in a reproducibility sheet; MoCo-v2's settings, the numbers of clusters, the linear share and
    the confidence are recalled, not checked.
Command: tools/dist_train.sh configs/ifnd/ifnd_resnet50_8xb32-cosine-200e_in1k.py 8
Hardware: 8 GPUs; hours not yet measured. scikit-learn may take half an hour for 100,000 clusters;
    `backend='faiss'` of the hook takes a fifth of that for 10,000 clusters (docs/performance.md).
Expected: none: the paper's figures were not at hand.
Measured: not yet measured.
"""

_base_ = '../mocov2/mocov2_resnet50_8xb32-cosine-200e_in1k.py'

model = dict(
    head=dict(
        type='PseudoLabelHead',
        strategy='eliminate',
        pseudo_labels=dict(
            type='PseudoLabels', length=1281167, num_clusters=[25000, 50000, 100000]
        ),
    )
)
custom_hooks = [dict(type='PseudoLabelHook', label_dataloader='$bank_dataloader', start_epoch=1)]
# The other ranks wait for the one that makes 100,000 clusters.
env_cfg = dict(dist_cfg=dict(timeout=7200))
