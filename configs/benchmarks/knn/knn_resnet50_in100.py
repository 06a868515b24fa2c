"""Weighted kNN, ImageNet-100, ResNet-50: k of 10, 20, 100 and 200, votes exp(cosine / 0.07).

Paper: Wu et al. 2018 (InstDis) for the weighted vote; features are pooled backbone features.
Command: python tools/test.py configs/benchmarks/knn/knn_resnet50_in100.py CHECKPOINT
Hardware: 1 GPU; minutes not yet measured.
Expected: that of the pre-training config.
Measured: not yet measured.
"""

_base_ = [
    '../../_base_/datasets/imagenet100.py',
    '../../_base_/models/linear_resnet50.py',
    '../../_base_/knn_runtime.py',
]

model = dict(head=None)
train_dataloader = None
test_dataloader = dict(_copy_='query_dataloader')
test_cfg = dict(
    type='KNNLoop',
    bank_dataloader=dict(_copy_='bank_dataloader'),
    k=(10, 20, 100, 200),
    temperature=0.07,
)
