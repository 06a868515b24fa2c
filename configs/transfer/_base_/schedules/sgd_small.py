"""SGD for 800 iterations of 8 small images, a tenth at 600 and 736, 50 of warm-up.

Few images and a low rate, as transfer is for: at 0.1 on five times the images random weights catch
up with pre-trained ones.
"""

_base_ = './sgd_24k.py'

optim_wrapper = dict(optimizer=dict(lr=0.02), clip_grad=dict(max_norm=10.0))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=50),
    dict(type='MultiStepLR', milestones=[600, 736], gamma=0.1, by_epoch=False),
]
train_cfg = dict(max_iters=800, val_interval=400)
auto_scale_lr = dict(base_batch_size=8)
