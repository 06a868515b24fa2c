"""15 epochs of SGD for a CPU: batches of 128, clipped gradients, a cosine by iteration."""

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.15, momentum=0.9, weight_decay=5e-4),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(
        type='CosineAnnealingLR',
        T_max='$train_cfg.max_epochs',
        by_epoch=True,
        begin=0,
        end='$train_cfg.max_epochs',
        convert_to_iter_based=True,
    )
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=15)
auto_scale_lr = dict(base_batch_size=128, enable=False)
