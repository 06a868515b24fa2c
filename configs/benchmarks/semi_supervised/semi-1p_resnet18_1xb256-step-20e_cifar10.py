"""Fine-tuning on 1 % of the labels, CIFAR-10, ResNet-18: the settings of the SwAV repository.

Paper: Caron et al. 2020 (SwAV); rates of its code at batch 256, 0.02 and 5 for the head. The images
    are those of this project's list, not those of SimCLR's:
    python tools/dataset/make_subset.py data/cifar10/train --share 0.01 --out data/cifar10/train_1percent.txt
Command: python tools/train.py configs/benchmarks/semi_supervised/semi-1p_resnet18_1xb256-step-20e_cifar10.py \\
    --cfg-options pretrained=work_dirs/.../epoch_200.pth
Hardware: 1 GPU; hours not yet measured.
Expected: none published for this list.
Measured: not yet measured.
"""

_base_ = './semi-10p_resnet18_1xb256-step-20e_cifar10.py'

train_dataloader = dict(dataset=dict(include='data/cifar10/train_1percent.txt'))
optim_wrapper = dict(
    optimizer=dict(lr=0.02), paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=250.0)))
)
