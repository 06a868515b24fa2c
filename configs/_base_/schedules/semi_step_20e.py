"""20 epochs of fine-tuning on few labels: no weight decay, the rate times 0.2 at 12 and 16."""

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9, weight_decay=0.0),
    paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=20.0))),
)
param_scheduler = [dict(type='MultiStepLR', milestones=[12, 16], gamma=0.2, by_epoch=True)]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=20, val_interval=5)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
val_evaluator = dict(type='TopKAccuracy', topk=(1, 5))
test_evaluator = dict(type='TopKAccuracy', topk=(1, 5))
auto_scale_lr = dict(base_batch_size=256, enable=False)
# Statistics of the batch over all ranks, where there are several.
sync_bn = 'torch'
# Where the backbone comes from: --cfg-options pretrained=CHECKPOINT
pretrained = ''
custom_hooks = [dict(type='PretrainedHook')]
