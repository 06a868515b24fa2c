"""6 epochs of SGD for a CPU: a short warm-up, then a cosine by iteration, batches of 256."""

# On a CPU with units for bfloat16, --amp is faster; on others it is several times slower.
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.3, momentum=0.9, weight_decay=5e-4)
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=80),
    dict(
        type='CosineAnnealingLR',
        T_max='$train_cfg.max_epochs',
        by_epoch=True,
        begin=0,
        end='$train_cfg.max_epochs',
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=6)
auto_scale_lr = dict(base_batch_size=256, enable=False)
