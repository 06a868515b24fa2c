"""No loss or gradient that is not finite reaches the weights."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from mochi_mm.distributed.agreement import any_rank
from mochi_mm.distributed.rows import rank
from mochi_mm.engine.run_state import has_stepped
from mochi_mm.files.atomic_file import write_atomically
from mochi_mm.registry import HOOKS
from mochi_mm.utils.unwrap import unwrap

POLICIES = ('stop', 'skip')
FOLDER = 'non_finite'
STATE = 'non_finite_steps_left_out'


@HOOKS.register_module()
class NonFiniteHook(Hook):
    """Check loss and gradients before every optimizer step, on all ranks together.

    Where one is NaN or infinite, each rank writes what it was working on (sample indices, views,
    losses) to ``<work dir>/non_finite/``, and training stops before the step, or leaves the step
    out. Keys that are not finite never enter the memory (it sees to that itself).

    Args:
        policy: ``stop``, or ``skip``: leave out the step and put the running statistics back to
            what they were before it. Weights and momenta keep their values; averaged weights move
            toward the weights as after any step.
        max_skips: Steps that may be left out in one run with ``skip``, its resumed parts together;
            one more stops it. None for 10.
        max_scaler_skips: Steps in a row that a loss scaler (float16) may leave out for gradients
            that overflow while the losses are finite. That is how it finds its scale, so neither
            the policy nor ``max_skips`` looks at it; losses that are not finite are as without one.

    Raises:
        ValueError: Unknown policy, negative budget, or ``max_skips`` with ``stop``.
        FloatingPointError: When training: see above.
    """

    priority = 'VERY_HIGH'

    def __init__(
        self, policy: str = 'stop', max_skips: int | None = None, max_scaler_skips: int = 30
    ) -> None:
        if policy == 'stop' and max_skips is not None:
            raise ValueError(
                f"max_skips is {max_skips} but the policy is 'stop', which leaves out no step; "
                "take max_skips out (None), or set policy='skip'."
            )
        max_skips = 10 if max_skips is None else max_skips
        if policy not in POLICIES or min(max_skips, max_scaler_skips) < 0:
            raise ValueError(
                f'policy={policy!r}, max_skips={max_skips}, max_scaler_skips={max_scaler_skips}; '
                f'expected one of {", ".join(POLICIES)} and numbers of steps >= 0.'
            )
        self.policy, self.max_skips, self.skipped = policy, max_skips, 0
        self.max_scaler_skips, self._scaler_skips = max_scaler_skips, 0
        self._stepped = False
        self._handles: list[Any] = []
        self._losses: list[Tensor] = []
        self._batches: list[Any] = []
        self._statistics: list[Tensor] = []
        self._kept: list[Tensor] = []

    def before_train(self, runner: Any) -> None:
        """Register the pre-step hook of the optimizer."""
        model = unwrap(runner.model)
        self.skipped = int(runner.message_hub.runtime_info.get(STATE, 0))
        self._scaler_skips = 0
        self._statistics = [
            buffer
            for module in model.modules()
            if isinstance(module, _BatchNorm)
            for buffer in module.buffers(recurse=False)
        ]
        self._kept = []
        self._reset()
        self._remove()

        def before_step(optimizer: Any, args: Any, kwargs: Any) -> None:
            self._before_step(runner, optimizer)

        self._handles = [
            model.register_forward_hook(self._note_losses),
            runner.optim_wrapper.optimizer.register_step_pre_hook(before_step),
        ]

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Remember the batch, and with ``skip`` the running statistics."""
        if self.policy == 'skip' and not self._batches:
            self._kept = [buffer.clone() for buffer in self._statistics]
        self._batches.append(data_batch)

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Forget the batches once the optimizer has stepped, or look at why it has not."""
        if not has_stepped(runner):
            return
        if not self._stepped:
            self._after_no_step(runner)
        self._reset()

    def after_train(self, runner: Any) -> None:
        """Remove the hooks."""
        self._remove()

    def _note_losses(self, module: Any, args: Any, output: Any) -> None:
        if module.training and isinstance(output, Mapping):
            values = [v.detach() for n, v in output.items() if 'loss' in n and torch.is_tensor(v)]
            self._losses += [value.float().sum() for value in values]

    def _before_step(self, runner: Any, optimizer: Any) -> None:
        self._stepped, self._scaler_skips = True, 0
        gradients = [p.grad for p in _parameters(optimizer) if p.grad is not None]
        if any_rank(not _all_finite([*gradients, *self._losses])):
            self._leave_out(runner, optimizer)

    def _after_no_step(self, runner: Any) -> None:
        """Handle an iteration without a step.

        A loss scaler does not call the optimizer when a gradient is not finite, on any rank.
        """
        if any_rank(not _all_finite(self._losses)):
            self._leave_out(runner, runner.optim_wrapper.optimizer)
            return
        self._scaler_skips += 1
        if self._scaler_skips > self.max_scaler_skips:
            raise FloatingPointError(
                f'the loss scaler left out {self._scaler_skips} steps in a row, the last at '
                f'iteration {runner.iter + 1}, for gradients that are not finite at any scale '
                f'although the losses are; samples and views are in {self._dump(runner)}. Lower '
                "the learning rate, train with type='BF16OptimWrapper', or raise "
                'default_hooks.non_finite.max_scaler_skips.'
            )

    def _leave_out(self, runner: Any, optimizer: Any) -> None:
        """Stop, or have this step change nothing; on all ranks."""
        where = self._dump(runner)
        reason = (
            f'the loss or a gradient is not finite at iteration {runner.iter + 1} (losses '
            f'{[float(loss) for loss in self._losses]}); samples and views of each rank are in '
            f'{where}'
        )
        self.skipped += 1
        if self.policy == 'stop' or self.skipped > self.max_skips:
            raise FloatingPointError(
                f'{reason}. The weights are those before this step; {self.skipped - 1} steps were '
                'left out before. Lower the learning rate, look at the samples, or set '
                "default_hooks.non_finite.policy='skip'."
            )
        runner.message_hub.update_info(STATE, self.skipped)
        for parameter in _parameters(optimizer):
            parameter.grad = None  # torch's optimizers pass over parameters without gradient
        for buffer, value in zip(self._statistics, self._kept, strict=True):
            buffer.copy_(value)
        runner.logger.log(
            logging.WARNING,
            f'{reason}. The step is left out, {self.skipped} of at most {self.max_skips}',
        )

    def _dump(self, runner: Any) -> Path:
        """Write the batches of this step, and what is wrong with them, for each rank."""
        folder = Path(runner.work_dir) / FOLDER
        model = unwrap(runner.model)
        content = dict(
            iteration=runner.iter + 1,
            epoch=runner.epoch,
            seed=runner.seed,
            rank=rank(),
            losses=[float(loss) for loss in self._losses],
            gradients=[
                name
                for name, p in model.named_parameters()
                if p.grad is not None and not p.grad.isfinite().all()
            ],
            batches=self._batches,
        )
        path = folder / f'iter_{runner.iter + 1}_rank_{rank()}.pth'
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(path, lambda file: torch.save(content, file))
        except (OSError, RuntimeError) as error:
            runner.logger.log(logging.WARNING, f'the batch could not be written: {error}')
        return folder

    def _reset(self) -> None:
        self._losses, self._batches, self._stepped = [], [], False

    def _remove(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []


def _parameters(optimizer: Any) -> list[Any]:
    return [p for group in optimizer.param_groups for p in group['params']]


def _all_finite(tensors: list[Tensor]) -> bool:
    """Return whether every number is finite; one number comes from the device."""
    if not tensors:
        return True
    largest = torch._foreach_norm(tensors, ord=math.inf)  # squares of finite numbers can overflow
    return bool(torch.stack([n.float() for n in largest]).isfinite().all())
