"""Update of averaged encoders after each optimizer step."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook

from mochi_mm.registry import HOOKS
from mochi_mm.structures.protocols import FollowsByAverage, TakesProgress
from mochi_mm.utils.unwrap import unwrap


@HOOKS.register_module()
class EMAUpdateHook(Hook):
    """Call ``model.update_ema()`` once for every optimizer step.

    Iterations that only accumulate gradients move nothing. A model without ``update_ema`` is left
    alone, so the hook can stand in every config. One with ``set_progress`` is told, at every
    iteration, which share of the run's iterations came before this one.
    """

    priority = 'NORMAL'

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Update if the optimizer has just stepped."""
        model = unwrap(runner.model)
        if isinstance(model, TakesProgress):
            model.set_progress(runner.iter / runner.max_iters)
        if isinstance(model, FollowsByAverage) and runner.optim_wrapper.should_update():
            model.update_ema()
