"""Hooks, logging and environment that every run shares."""

default_scope = 'mochi_mm'
runner_type = 'SafeRunner'

default_hooks = dict(
    runtime_info=dict(type='RuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    logger=dict(type='LoggerHook', interval=100),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', interval=10, max_keep_ckpts=3),
    keyed_random=dict(type='KeyedRandomHook'),
    set_epoch=dict(type='SetEpochHook'),
    ema_update=dict(type='EMAUpdateHook'),
    run_check=dict(type='RunCheckHook'),
    non_finite=dict(type='NonFiniteHook', policy='stop'),
    data_fault=dict(type='DataFaultHook', max_share=0.01),
    rank_check=dict(type='RankCheckHook', interval=0),
    preemption=dict(type='PreemptionHook'),
)

randomness = dict(seed=0)
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl', timeout=900),  # seconds a rank waits for the others
    keep_freed_memory=True,  # on the CPU: faster steps, the process keeps its peak memory
)

vis_backends = [dict(type='SafeLocalVisBackend')]
visualizer = dict(type='Visualizer', vis_backends='$vis_backends')
# Losses, times and shares are averaged over the window since the last line, the rest is the latest.
log_processor = dict(
    window_size=100,
    mean_pattern=r'.*(loss|time|grad_norm|acc_|sim_|share_|precision_|recall_).*',
)

log_level = 'INFO'
load_from = None
resume = False
# What may differ when a run is resumed: weights, optimizer, world_size, dataset, settings.
resume_allow = []
