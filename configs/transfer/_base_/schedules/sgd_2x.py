"""SGD for 180,000 iterations of 16 images, a tenth at 120,000 and 160,000, 1,000 of warm-up."""

_base_ = './sgd_24k.py'

param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=1000),
    dict(type='MultiStepLR', milestones=[120000, 160000], gamma=0.1, by_epoch=False),
]
train_cfg = dict(max_iters=180000, val_interval=60000)
