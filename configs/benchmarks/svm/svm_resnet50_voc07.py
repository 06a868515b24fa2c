"""Linear SVMs on VOC07 classification, ResNet-50: mean AP over twenty classes, 11 points.

Paper: Goyal et al. 2019 (arXiv 1905.01235) for the protocol; costs and folds are this project's.
Command: python tools/test.py configs/benchmarks/svm/svm_resnet50_voc07.py CHECKPOINT
Hardware: 1 GPU for the features, CPU for the SVMs; minutes not yet measured.
Expected: none published for this setting was checked.
Measured: not yet measured.
"""

_base_ = [
    '../../_base_/datasets/voc07_classification.py',
    '../../_base_/models/linear_resnet50.py',
    '../../_base_/knn_runtime.py',
]

model = dict(head=None)
test_dataloader = dict(_copy_='voc_test_dataloader')
test_cfg = dict(
    type='SVMLoop', train_dataloader=dict(_copy_='trainval_dataloader'), method='11points'
)
