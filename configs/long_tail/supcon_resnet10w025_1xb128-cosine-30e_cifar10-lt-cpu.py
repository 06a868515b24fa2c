"""SupCon, CIFAR-10-LT (factor 0.01), a quarter-width ResNet-10; a linear classifier comes after it.

Paper: Khosla et al. 2020 (SupCon, arXiv 2004.11362); network, budget and rate are ours, for a CPU.
Command: OMP_NUM_THREADS=1 python tools/train.py \\
    configs/long_tail/supcon_resnet10w025_1xb128-cosine-30e_cifar10-lt-cpu.py
Hardware: 1 CPU core.
Expected: none published for this setting.
Measured: top-1 of all classes 36.2, of those with few images 0.5, at the budget of
    docs/comparisons.md.
"""

_base_ = '../paco/gpaco_resnet10w025_1xb128-cosine-30e_cifar10-lt-cpu.py'

model = dict(
    neck=dict(num_layers=2, norm='all', last_affine=False),
    head=dict(_delete_=True, type='SupConHead', temperature=0.1),
)
# It has no classifier to validate: kNN instead, the long tail being the bank.
val_dataloader = None
val_evaluator = None
val_cfg = None
test_evaluator = []
test_cfg = dict(type='KNNLoop', bank_dataloader='$bank_dataloader', k=[20], cuts='$cuts')
custom_hooks = [
    dict(
        type='KNNHook',
        interval=10,
        cuts='$cuts',
        bank_dataloader='$bank_dataloader',
        query_dataloader='$query_dataloader',
    )
]
