"""Check that all ranks still hold the same model: a debugging aid."""

from __future__ import annotations

from typing import Any

from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from torch.nn.modules.batchnorm import _BatchNorm

from mochi_mm.distributed.rows import world_size
from mochi_mm.engine.run_state import digest
from mochi_mm.registry import HOOKS
from mochi_mm.utils.unwrap import unwrap


@HOOKS.register_module()
class RankCheckHook(Hook):
    """Compare weights, averaged weights and memory bit for bit across ranks.

    Running statistics are left out: each rank has its own. Off by default, as everything has to
    come to the CPU: ``--cfg-options default_hooks.rank_check.interval=100`` switches it on.

    Args:
        interval: Iterations between comparisons; 0 never compares.

    Raises:
        ValueError: A negative interval.
        RuntimeError: When training: tensors that differ, with the ranks that differ from rank 0.
    """

    priority = 'LOW'

    def __init__(self, interval: int = 0) -> None:
        if interval < 0:
            raise ValueError(f'interval is {interval}; expected a number of iterations, 0 for off.')
        self.interval = interval

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Compare, where it is time."""
        if world_size() == 1 or not self.every_n_train_iters(runner, self.interval):
            return
        model = unwrap(runner.model)
        own = {
            f'{name}.{buffer}'
            for name, module in model.named_modules()
            if isinstance(module, _BatchNorm)
            for buffer, _ in module.named_buffers(recurse=False)
        }
        state = {n: digest(t) for n, t in model.state_dict().items() if n not in own}
        first, *others = all_gather_object(state)
        for number, other in enumerate(others, start=1):
            differing = [name for name in first if first[name] != other[name]]
            if differing:
                raise RuntimeError(
                    f'after iteration {runner.iter + 1}, {len(differing)} of {len(first)} tensors '
                    f'of rank {number} differ from those of rank 0, first {differing[0]}. The '
                    'ranks drift apart: look for state or random draws that are not shared.'
                )
