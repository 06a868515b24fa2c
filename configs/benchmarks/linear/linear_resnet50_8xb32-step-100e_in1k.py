"""Linear probe, ImageNet-1K, ResNet-50: the protocol of the MoCo repository.

Paper: He et al. 2020; rate 30 at batch 256, divided by ten at epochs 60 and 80, no weight decay.
Command: tools/dist_train.sh configs/benchmarks/linear/linear_resnet50_8xb32-step-100e_in1k.py 8 \\
    --cfg-options pretrained=work_dirs/.../epoch_200.pth
Hardware: 8 GPUs; hours not yet measured.
Expected: that of the pre-training config.
Measured: not yet measured.
"""

_base_ = [
    '../../_base_/datasets/imagenet.py',
    '../../_base_/models/linear_resnet50.py',
    '../../_base_/schedules/probe_step_100e.py',
    '../../_base_/default_runtime.py',
]

train_dataloader = dict(drop_last=False, dataset=dict(pipeline='$probe_pipeline'))
val_dataloader = dict(_copy_='query_dataloader')
test_dataloader = dict(_copy_='query_dataloader')
