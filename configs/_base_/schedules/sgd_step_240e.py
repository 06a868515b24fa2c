"""240 epochs of SGD, the rate divided by ten at 120, 160 and 200: CMC's schedule."""

optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.03, momentum=0.9, weight_decay=1e-4)
)
param_scheduler = [
    dict(
        type='MultiStepLR',
        milestones=[120, 160, 200],
        gamma=0.1,
        by_epoch=True,
        begin=0,
        end='$train_cfg.max_epochs',
    )
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=240)
auto_scale_lr = dict(base_batch_size=128, enable=False)
