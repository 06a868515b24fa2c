"""Fine-tuning on 10 % of the labels, ImageNet-1K, ResNet-50: the settings of the SwAV repository.

Paper: Caron et al. 2020 (SwAV); rates of its code at batch 256, 0.01 and 0.2 for the head. The images
    are those of this project's list, not those of SimCLR's:
    python tools/dataset/make_subset.py data/imagenet/train --share 0.1 --out data/imagenet/train_10percent.txt
Command: tools/dist_train.sh configs/benchmarks/semi_supervised/semi-10p_resnet50_8xb32-step-20e_in1k.py 8 \\
    --cfg-options pretrained=work_dirs/.../epoch_200.pth
Hardware: 8 GPUs; hours not yet measured.
Expected: none published for this list.
Measured: not yet measured.
"""

_base_ = [
    '../../_base_/datasets/imagenet.py',
    '../../_base_/models/linear_resnet50.py',
    '../../_base_/schedules/semi_step_20e.py',
    '../../_base_/default_runtime.py',
]

model = dict(freeze_backbone=False)
train_dataloader = dict(
    drop_last=False,
    dataset=dict(include='data/imagenet/train_10percent.txt', pipeline='$probe_pipeline'),
)
val_dataloader = dict(_copy_='query_dataloader')
test_dataloader = dict(_copy_='query_dataloader')
