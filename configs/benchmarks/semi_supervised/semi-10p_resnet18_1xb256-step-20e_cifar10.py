"""Fine-tuning on 10 % of the labels, CIFAR-10, ResNet-18: the settings of the SwAV repository.

Paper: Caron et al. 2020 (SwAV); rates of its code at batch 256, 0.01 and 0.2 for the head. The images
    are those of this project's list, not those of SimCLR's:
    python tools/dataset/make_subset.py data/cifar10/train --share 0.1 --out data/cifar10/train_10percent.txt
Command: python tools/train.py configs/benchmarks/semi_supervised/semi-10p_resnet18_1xb256-step-20e_cifar10.py \\
    --cfg-options pretrained=work_dirs/.../epoch_200.pth
Hardware: 1 GPU; hours not yet measured.
Expected: none published for this list.
Measured: not yet measured.
"""

_base_ = [
    '../../_base_/datasets/cifar10.py',
    '../../_base_/models/linear_resnet18_small.py',
    '../../_base_/schedules/semi_step_20e.py',
    '../../_base_/default_runtime.py',
]

model = dict(freeze_backbone=False)
train_dataloader = dict(
    drop_last=False,
    dataset=dict(include='data/cifar10/train_10percent.txt', pipeline='$probe_pipeline'),
)
val_dataloader = dict(_copy_='query_dataloader')
test_dataloader = dict(_copy_='query_dataloader')
