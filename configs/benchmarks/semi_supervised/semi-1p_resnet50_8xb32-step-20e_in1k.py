"""Fine-tuning on 1 % of the labels, ImageNet-1K, ResNet-50: the settings of the SwAV repository.

Paper: Caron et al. 2020 (SwAV); rates of its code at batch 256, 0.02 and 5 for the head. The images
    are those of this project's list, not those of SimCLR's:
    python tools/dataset/make_subset.py data/imagenet/train --share 0.01 --out data/imagenet/train_1percent.txt
Command: tools/dist_train.sh configs/benchmarks/semi_supervised/semi-1p_resnet50_8xb32-step-20e_in1k.py 8 \\
    --cfg-options pretrained=work_dirs/.../epoch_200.pth
Hardware: 8 GPUs; hours not yet measured.
Expected: none published for this list.
Measured: not yet measured.
"""

_base_ = './semi-10p_resnet50_8xb32-step-20e_in1k.py'

train_dataloader = dict(dataset=dict(include='data/imagenet/train_1percent.txt'))
optim_wrapper = dict(
    optimizer=dict(lr=0.02), paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=250.0)))
)
