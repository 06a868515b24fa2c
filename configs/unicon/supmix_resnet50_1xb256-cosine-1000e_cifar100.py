"""SupMix, CIFAR-100, ResNet-50 with the small-image stem, batch 256, 1,000 epochs: the authors'.

Paper: Han and Chen 2023 (UniCon, arXiv 2204.10695), their comparison with it; Beta(0.5, 0.5) as in
    their command, the rest as the config of UniCon.
Command: python tools/train.py configs/unicon/supmix_resnet50_1xb256-cosine-1000e_cifar100.py
Hardware: 1 GPU; hours not yet measured.
Expected: none published.
Measured: not yet measured.
"""

_base_ = 'unicon_resnet50_1xb256-cosine-1000e_cifar100.py'

model = dict(
    view_editors=[dict(type='ReverseMixing', alpha=0.5)],
    head=dict(type='SupMixHead'),
)
