"""Low-shot classification of generated scenes, the quickstart's quarter-width ResNet-10.

Paper: Goyal et al. 2019 (arXiv 1905.01235) for the protocol; costs and folds are this project's.
Command: python tools/test.py configs/benchmarks/svm/lowshot_resnet10w025_shapes.py CHECKPOINT
Hardware: 2 CPU cores; seconds.
Expected: none published for this setting was checked.
Measured: mAP at k=16 37.6 from the quickstart's MoCo-v2 weights, 37.6 from its MoCHi weights.
"""

_base_ = './svm_resnet10w025_shapes.py'

test_cfg = dict(shots=(1, 2, 4, 8, 16), samples=5)
