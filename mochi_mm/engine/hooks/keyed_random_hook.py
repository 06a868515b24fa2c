"""Random draws of each step keyed by (seed, iteration)."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.hooks import Hook

from mochi_mm.distributed.rows import rank
from mochi_mm.randomness import StepKey
from mochi_mm.registry import HOOKS
from mochi_mm.structures.protocols import TakesStep


@HOOKS.register_module()
class KeyedRandomHook(Hook):
    """Call ``set_step(StepKey)`` of the parts of the model that define it, before each iteration.

    Torch's own generator is seeded from the same key for layers that draw from it, such as
    drop-out. So a step draws the same whatever came before it.
    """

    priority = 'VERY_HIGH'

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Hand out the key of this iteration."""
        key = StepKey(runner.seed, runner.iter, rank())
        torch.manual_seed(key.number('layers', per_rank=True))
        for module in runner.model.modules():
            if isinstance(module, TakesStep):
                module.set_step(key)
