"""Current epoch of the parts of a model that depend on it."""

from __future__ import annotations

import math
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop

from mochi_mm.registry import HOOKS
from mochi_mm.structures.protocols import TakesEpoch


@HOOKS.register_module()
class SetEpochHook(Hook):
    """Call ``set_epoch(epoch, max_epochs)`` of every part of the model that defines it.

    In an iteration loop an epoch is one pass over the data loader.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._told: int | None = None

    def before_train(self, runner: Any) -> None:
        """Forget the epoch of an earlier run."""
        self._told = None

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Set the epoch where it has changed."""
        epoch, max_epochs = self._time(runner)
        if epoch == self._told:
            return
        for module in runner.model.modules():
            if isinstance(module, TakesEpoch):
                module.set_epoch(epoch, max_epochs)
        self._told = epoch

    @staticmethod
    def _time(runner: Any) -> tuple[int, int]:
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            length = len(runner.train_dataloader)
            return runner.iter // length, math.ceil(runner.max_iters / length)
        return runner.epoch, runner.max_epochs
