"""Weighted kNN on generated scenes, the quickstart's quarter-width ResNet-10.

Paper: Wu et al. 2018 (InstDis) for the weighted vote; features are pooled backbone features.
Command: python tools/test.py configs/benchmarks/knn/knn_resnet10w025_shapes.py CHECKPOINT
Hardware: 2 CPU cores; seconds.
Expected: that of the pre-training config.
Measured: that of the pre-training config.
"""

_base_ = [
    '../../_base_/datasets/shapes.py',
    '../../_base_/models/linear_resnet18_small.py',
    '../../_base_/knn_runtime.py',
]

model = dict(head=None, backbone=dict(depth=10, width=0.25, stem='imagenet'))
train_dataloader = None
test_dataloader = dict(_copy_='query_dataloader')
test_cfg = dict(
    type='KNNLoop', bank_dataloader=dict(_copy_='bank_dataloader'), k=(20, 200), temperature=0.07
)
