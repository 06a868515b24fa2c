"""8 epochs of SGD for a CPU: a short warm-up, then a cosine by iteration, batches of 256."""

# bfloat16 pays on CPUs with units for it; elsewhere set optim_wrapper.type=OptimWrapper.
optim_wrapper = dict(
    type='BF16OptimWrapper', optimizer=dict(type='SGD', lr=0.12, momentum=0.9, weight_decay=5e-4)
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=80),
    dict(
        type='CosineAnnealingLR',
        T_max=8,
        by_epoch=True,
        begin=0,
        end=8,
        convert_to_iter_based=True,
    ),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=8)
auto_scale_lr = dict(base_batch_size=256, enable=False)
