"""Linear probe, ImageNet-1K, CMC's two half-width ResNet-50 on L and ab.

Paper: He et al. 2020 for the protocol; rate 30 at batch 256, which CMC's authors advise as well.
Command: tools/dist_train.sh \\
    configs/benchmarks/linear/linear_cmc-resnet50w05_8xb32-step-100e_in1k.py 8 \\
    --cfg-options pretrained=work_dirs/.../epoch_240.pth
Hardware: 8 GPUs; hours not yet measured.
Expected: that of the pre-training config.
Measured: not yet measured.
"""

_base_ = './linear_resnet50_8xb32-step-100e_in1k.py'

half = dict(type='ResNet', depth=50, width=0.5)
parts = [dict(half, in_channels=1), dict(half, in_channels=2)]
model = dict(
    data_preprocessor=dict(_delete_=True, type='ColorSpaceDataPreprocessor', space='lab'),
    backbone=dict(_delete_=True, type='SplitBackbone', backbones='$parts'),
)
