"""HCL, STL-10, ResNet-50 with the small-image stem, 400 epochs of Adam.

Paper: Robinson et al. 2021 (Contrastive Learning with Hard Negative Samples, arXiv 2010.04592); all
    settings of the authors' code, which does not anneal beta unless asked to (anneal='stairs').
Command: python tools/train.py configs/hcl/hcl_resnet50_1xb256-constant-400e_stl10.py
Hardware: 1 GPU; hours not yet measured.
Expected: linear probe top-1 87.44 (authors' README; 86.38 with beta 0.5, 87.09 with 2).
Measured: not yet measured.
"""

_base_ = '../debiased/debiased_resnet50_1xb256-constant-500e_stl10.py'

model = dict(head=dict(negatives=dict(beta=1.0)))
train_cfg = dict(max_epochs=400)
