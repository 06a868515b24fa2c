"""Low-shot VOC07 classification, ResNet-50: linear SVMs on k positives of each class, 5 draws.

Paper: Goyal et al. 2019 (arXiv 1905.01235) for the protocol; costs and folds are this project's.
Command: python tools/test.py configs/benchmarks/svm/lowshot_resnet50_voc07.py CHECKPOINT
Hardware: 1 GPU for the features, CPU for the SVMs; minutes not yet measured.
Expected: none published for this setting was checked.
Measured: not yet measured.
"""

_base_ = './svm_resnet50_voc07.py'

test_cfg = dict(shots=(1, 2, 4, 8, 16, 32, 64), samples=5)
