"""100 epochs of SGD without weight decay, the rate divided by ten at 60 and 80: a linear probe."""

optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=30.0, momentum=0.9, weight_decay=0.0)
)
param_scheduler = [dict(type='MultiStepLR', milestones=[60, 80], gamma=0.1, by_epoch=True)]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=100, val_interval=10)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
val_evaluator = dict(type='TopKAccuracy', topk=(1, 5))
test_evaluator = dict(type='TopKAccuracy', topk=(1, 5))
auto_scale_lr = dict(base_batch_size=256, enable=False)
# Where the backbone comes from: --cfg-options pretrained=CHECKPOINT
pretrained = ''
custom_hooks = [dict(type='PretrainedHook')]
