"""Faster R-CNN C4 on the quickstart's network, a ResNet-10 of quarter width.

What differs from the full model: depth and width, smaller regions and fewer of them, half of them objects,
and the mean and std of images, which are the quickstart's.
"""

_base_ = './faster-rcnn_r50-c4.py'

model = dict(
    data_preprocessor=dict(mean=[125.307, 122.95, 113.865], std=[62.993, 62.089, 66.705]),
    backbone=dict(depth=10, width=0.25),
    rpn_head=dict(in_channels=64, feat_channels=64, anchor_generator=dict(scales=[1.5, 2.5, 4, 6])),
    roi_head=dict(
        shared_head=dict(depth=10, width=0.25),
        bbox_roi_extractor=dict(roi_layer=dict(output_size=8, sampling_ratio=1), out_channels=64),
        bbox_head=dict(roi_feat_size=4, in_channels=128, num_classes=10),
    ),
    train_cfg=dict(
        rpn=dict(sampler=dict(num=64)),
        rpn_proposal=dict(nms_pre=500, max_per_img=100),
        rcnn=dict(sampler=dict(num=16, pos_fraction=0.5)),
    ),
    test_cfg=dict(rpn=dict(nms_pre=500, max_per_img=100)),
)
