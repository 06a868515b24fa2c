"""200 epochs of SGD, the rate falling along a cosine once an epoch, as MoCo-v2 does."""

optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.03, momentum=0.9, weight_decay=1e-4)
)
param_scheduler = [
    dict(
        type='CosineAnnealingLR',
        T_max='$train_cfg.max_epochs',
        by_epoch=True,
        begin=0,
        end='$train_cfg.max_epochs',
    )
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=200)
auto_scale_lr = dict(base_batch_size=256, enable=False)
