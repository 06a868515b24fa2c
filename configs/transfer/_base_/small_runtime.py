"""The runtime of runs that take minutes: fewer batches for the statistics, more log lines."""

_base_ = './default_runtime.py'

default_hooks = dict(
    logger=dict(interval=50), checkpoint=dict(interval=400), precise_bn=dict(num_iters=40)
)
