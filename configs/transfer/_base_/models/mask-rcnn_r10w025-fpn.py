"""Mask R-CNN on a pyramid over the quickstart's network, a ResNet-10 of quarter width.

What differs from the full model: depth and width, a pyramid from stride 8 on, heads with norms, which learn
in minutes, fewer regions, half of them objects, and the mean and std of images, which are the quickstart's.
"""

_base_ = './mask-rcnn_r50-fpn.py'

model = dict(
    data_preprocessor=dict(mean=[125.307, 122.95, 113.865], std=[62.993, 62.089, 66.705]),
    backbone=dict(depth=10, width=0.25, out_indices=(1, 2, 3)),
    neck=dict(in_channels=[32, 64, 128], out_channels=64, num_outs=3),
    rpn_head=dict(
        in_channels=64,
        feat_channels=64,
        anchor_generator=dict(scales=[3, 5], strides=[8, 16, 32]),
    ),
    roi_head=dict(
        bbox_roi_extractor=dict(
            roi_layer=dict(sampling_ratio=1),
            out_channels=64,
            featmap_strides=[8, 16, 32],
            finest_scale=40,
        ),
        bbox_head=dict(
            type='ConvFCBBoxHead',
            num_shared_convs=1,
            num_shared_fcs=1,
            in_channels=64,
            conv_out_channels=64,
            fc_out_channels=128,
            norm_cfg=dict(type='BN', requires_grad=True),
            num_classes=10,
        ),
        mask_roi_extractor=dict(
            roi_layer=dict(sampling_ratio=1),
            out_channels=64,
            featmap_strides=[8, 16, 32],
            finest_scale=40,
        ),
        mask_head=dict(
            num_convs=2,
            in_channels=64,
            conv_out_channels=64,
            norm_cfg=dict(type='BN', requires_grad=True),
            num_classes=10,
        ),
    ),
    train_cfg=dict(
        rpn=dict(sampler=dict(num=64)),
        rpn_proposal=dict(nms_pre=200, max_per_img=100),
        rcnn=dict(sampler=dict(num=16, pos_fraction=0.5)),
    ),
    test_cfg=dict(rpn=dict(nms_pre=200, max_per_img=100)),
)
