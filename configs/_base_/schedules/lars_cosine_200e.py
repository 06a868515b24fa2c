"""200 epochs of LARS, ten of them warm-up, then a cosine by iteration: SimCLR at batch 4,096.

Norms and biases are neither decayed nor adapted. LARS comes from timm.
"""

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='LARS', lr=4.8, momentum=0.9, weight_decay=1e-6),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0),
)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-4,
        by_epoch=True,
        begin=0,
        end=10,
        convert_to_iter_based=True,
    ),
    dict(
        type='CosineAnnealingLR',
        T_max='$train_cfg.max_epochs - 10',
        by_epoch=True,
        begin=10,
        end='$train_cfg.max_epochs',
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=200)
auto_scale_lr = dict(base_batch_size=4096, enable=False)
