"""Cross-entropy, CIFAR-10-LT (factor 0.01), a quarter-width ResNet-10: a run for one CPU core.

Paper: none; the baseline of every long-tailed table.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/long_tail/cross-entropy_resnet10w025_1xb128-cosine-30e_cifar10-lt-cpu.py
Hardware: 1 CPU core.
Expected: none published for this setting.
Measured: top-1 of all classes 42.1, of those with few images 1.2, at the budget of
    docs/comparisons.md.
"""

_base_ = './balanced-softmax_resnet10w025_1xb128-cosine-30e_cifar10-lt-cpu.py'

model = dict(head=dict(class_counts=None))
