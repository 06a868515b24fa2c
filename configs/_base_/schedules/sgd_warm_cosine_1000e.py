"""1,000 epochs of SGD along a cosine to 5e-4, the first ten under a warm-up: SupCon on CIFAR."""

optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.5, momentum=0.9, weight_decay=1e-4)
)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=0.02,
        by_epoch=True,
        begin=0,
        end=10,
        convert_to_iter_based=True,
    ),
    dict(
        type='CosineAnnealingLR',
        T_max='$train_cfg.max_epochs',
        eta_min=5e-4,
        by_epoch=True,
        begin=0,
        end='$train_cfg.max_epochs',
    ),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1000)
auto_scale_lr = dict(base_batch_size=1024, enable=False)
