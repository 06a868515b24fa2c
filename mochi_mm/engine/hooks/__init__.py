"""Hooks of the training loop."""

from mochi_mm.engine.hooks.checkpoint_data_hook import CheckpointDataHook
from mochi_mm.engine.hooks.ema_update_hook import EMAUpdateHook
from mochi_mm.engine.hooks.keyed_random_hook import KeyedRandomHook
from mochi_mm.engine.hooks.knn_hook import KNNHook
from mochi_mm.engine.hooks.pretrained_hook import PretrainedHook
from mochi_mm.engine.hooks.run_check_hook import RunCheckHook
from mochi_mm.engine.hooks.set_epoch_hook import SetEpochHook

__all__ = [
    'CheckpointDataHook',
    'EMAUpdateHook',
    'KNNHook',
    'KeyedRandomHook',
    'PretrainedHook',
    'RunCheckHook',
    'SetEpochHook',
]
