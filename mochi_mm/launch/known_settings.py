"""The top-level settings of a config that something reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mochi_mm.registry import component_name

#: Read by MMEngine's runner, by this project's, or on the way to them.
OF_A_RUN = (
    'activation_checkpointing',
    'auto_scale_lr',
    'checkpoint_key',
    'compile',
    'custom_hooks',
    'custom_imports',
    'data_preprocessor',
    'default_hooks',
    'default_scope',
    'efficient_conv_bn_eval',
    'env_cfg',
    'experiment_name',
    'find_unused_parameters',
    'launcher',
    'load_from',
    'load_partial',
    'log_level',
    'log_processor',
    'model',
    'model_wrapper_cfg',
    'optim_wrapper',
    'param_scheduler',
    'randomness',
    'restarted',
    'resume',
    'resume_allow',
    'runner_type',
    'start_from',
    'sync_bn',
    'test_cfg',
    'test_dataloader',
    'test_evaluator',
    'train_cfg',
    'train_dataloader',
    'val_cfg',
    'val_dataloader',
    'val_evaluator',
    'visualizer',
    'work_dir',
)
#: Read by the tools that measure features, beside the settings of a run.
OF_TOOLS = ('bank_dataloader', 'query_dataloader')
#: Read by the hooks that start from a checkpoint, and only where one of them is in the config.
PRETRAINED = 'pretrained'


def reads_pretrained(config: Mapping[str, Any]) -> bool:
    """Return whether a hook of ``config`` reads its top-level ``pretrained``."""
    hooks = [*(config.get('custom_hooks') or []), *(config.get('default_hooks') or {}).values()]
    return any(component_name(hook).endswith('PretrainedHook') for hook in hooks)
