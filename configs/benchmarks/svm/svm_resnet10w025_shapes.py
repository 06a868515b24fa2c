"""Linear SVMs on generated scenes of several kinds, the quickstart's quarter-width ResNet-10.

Paper: Goyal et al. 2019 (arXiv 1905.01235) for the protocol; costs and folds are this project's.
Command: python tools/test.py configs/benchmarks/svm/svm_resnet10w025_shapes.py CHECKPOINT
Hardware: 2 CPU cores; seconds.
Expected: none published for this setting was checked.
Measured: mAP 39.3 from the quickstart's MoCo-v2 weights, 36.8 from its MoCHi weights, one run each.
"""

_base_ = [
    '../../_base_/datasets/shapes_voc_classification.py',
    '../../_base_/models/linear_resnet18_small.py',
    '../../_base_/knn_runtime.py',
]

model = dict(head=None, backbone=dict(depth=10, width=0.25, stem='imagenet'))
test_dataloader = dict(_copy_='voc_test_dataloader')
test_cfg = dict(
    type='SVMLoop', train_dataloader=dict(_copy_='trainval_dataloader'), method='11points'
)
