"""SGD for 2,000 iterations of 8 small images, a tenth at 1,500 and 1,850, 50 of warm-up."""

_base_ = './sgd_24k.py'

optim_wrapper = dict(optimizer=dict(lr=0.04), clip_grad=dict(max_norm=10.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=50),
    dict(type='MultiStepLR', milestones=[1500, 1850], gamma=0.1, by_epoch=False),
]
train_cfg = dict(max_iters=2000, val_interval=500)
auto_scale_lr = dict(base_batch_size=8)
