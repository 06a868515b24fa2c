"""SupCon against a labeled queue, CIFAR-10, a quarter-width ResNet-10, 6 epochs on a CPU.

Paper: Khosla et al., NeurIPS 2020 (arXiv 2004.11362); network and budget are ours, for a CPU. L_in,
    as L_out against a memory hardly learns in so few steps: docs/family.md.
Command: python tools/train.py \\
    configs/supcon_memory/supcon-memory_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py
Hardware: 2 CPU cores; minutes not yet measured.
Expected: kNN top-1 (k=20) at least 20 points above the untrained network.
Measured: kNN top-1 (k=20) 51.5, untrained 31.3, at the budget of
    docs/family.md.
"""

_base_ = '../mocov2/mocov2_resnet10w025_1xb256-cosine-6e_cifar10-cpu.py'

model = dict(head=dict(type='SupConHead', form='in', temperature=0.1))
