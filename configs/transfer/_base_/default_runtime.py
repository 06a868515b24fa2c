"""What every detection run shares. The scope is mmdet's; our components carry the prefix."""

custom_imports = dict(imports=['mochi_mm.transfer'], allow_failed_imports=False)
default_scope = 'mmdet'
runner_type = 'mochi_mm.SafeRunner'

# A checkpoint of a pre-training run, or 'none' to train from random weights on purpose.
pretrained = ''

default_hooks = dict(
    runtime_info=dict(type='RuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='mochi_mm.CheckpointHook', by_epoch=False, interval=5000, max_keep_ckpts=2
    ),
    keyed_random=dict(type='mochi_mm.KeyedRandomHook'),
    run_check=dict(type='mochi_mm.RunCheckHook'),
    class_check=dict(type='mochi_mm.ClassCheckHook'),
    revert_sync_bn=dict(type='mochi_mm.RevertSyncBNHook'),
    pretrained=dict(type='mochi_mm.DetectorPretrainedHook'),
    precise_bn=dict(type='mochi_mm.PreciseBNHook', num_iters=200),
    non_finite=dict(type='mochi_mm.NonFiniteHook', policy='stop'),
    preemption=dict(type='mochi_mm.PreemptionHook'),
)
# Every batch norm is synchronised where there are several processes, and trained.
sync_bn = 'torch'

randomness = dict(seed=0)
env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl', timeout=900),  # seconds a rank waits for the others
    keep_freed_memory=True,  # on the CPU: faster steps, the process keeps its peak memory
)
vis_backends = [dict(type='mochi_mm.SafeLocalVisBackend')]
visualizer = dict(type='Visualizer', vis_backends='$vis_backends')
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=False)

log_level = 'INFO'
load_from = None
resume = False
resume_allow = []
