"""DenseCL with MoCHi (1024, 512, 256) on whole images and on cells, ImageNet-1K, 200 epochs.

Paper: Wang et al., CVPR 2021 (arXiv 2011.09157), and Kalantidis et al., NeurIPS 2020 (arXiv
    2010.01028); mixing the negatives of cells is ours.
Command: tools/dist_train.sh configs/densecl/densecl-mochi_resnet50_8xb32-cosine-200e_in1k.py 8
Hardware: 8 GPUs; hours not yet measured.
Expected: none published for this setting.
Measured: not yet measured.
"""

_base_ = 'densecl_resnet50_8xb32-cosine-200e_in1k.py'

mixing = dict(
    type='HardNegativeMixing',
    num_hard=1024,
    start_epoch=15,
    mixers=[
        dict(type='PairMixing', num=512),
        dict(type='QueryMixing', num=256),
    ],
)
model = dict(head=dict(mixing=mixing), heads=dict(dense=dict(mixing=mixing)))
