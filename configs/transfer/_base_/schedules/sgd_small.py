"""SGD for 1,200 iterations of 8 small images, a tenth at 900 and 1,100, 50 of warm-up.

The rate is high for the batch, as small networks with batch norm want it.
"""

_base_ = './sgd_24k.py'

optim_wrapper = dict(optimizer=dict(lr=0.1), clip_grad=dict(max_norm=10.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=50),
    dict(type='MultiStepLR', milestones=[900, 1100], gamma=0.1, by_epoch=False),
]
train_cfg = dict(max_iters=1200, val_interval=400)
auto_scale_lr = dict(base_batch_size=8)
