"""400 epochs of SGD, ten of warm-up, the rate divided by ten at 320 and 360: long tails on CIFAR."""

optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.05, momentum=0.9, weight_decay=5e-4)
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=True, begin=0, end=10),
    dict(type='MultiStepLR', milestones=[320, 360], gamma=0.1, by_epoch=True),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=400, val_interval=10)
auto_scale_lr = dict(base_batch_size=128, enable=False)
