"""Batch-norm statistics of many batches, before a detector is measured."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop

from mochi_mm.randomness.random_state import preserved_random_state
from mochi_mm.registry import HOOKS
from mochi_mm.transfer.precise_bn import precise_statistics
from mochi_mm.utils.unwrap import unwrap


@HOOKS.register_module()
class PreciseBNHook(Hook):
    """Replace running statistics by exact ones over ``num_iters`` training batches.

    Running statistics are an exponential average over weights that have moved since. Here the
    weights stand still: each batch passes in training mode, without gradient, and mean and
    variance of everything that a layer saw become its statistics. Runs before every validation and
    at the end of training, before the checkpoint of that iteration is written, so that the
    checkpoint tests as it validated. Weights, random generators and the order of training samples
    stay untouched.

    Args:
        num_iters: Batches per rank; the MoCo protocol takes 200.

    Raises:
        ValueError: ``num_iters`` below 1.
    """

    priority = 'BELOW_NORMAL'

    def __init__(self, num_iters: int = 200) -> None:
        if not isinstance(num_iters, int) or num_iters < 1:
            raise ValueError(f'num_iters is {num_iters!r}; expected a number of batches >= 1.')
        self.num_iters = num_iters

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Recompute where an iteration loop is about to validate or to end."""
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            self._recompute_if_due(runner, runner.iter + 1, runner.max_iters)

    def after_train_epoch(self, runner: Any) -> None:
        """Recompute where an epoch loop is about to validate or to end."""
        if not isinstance(runner.train_loop, IterBasedTrainLoop):
            self._recompute_if_due(runner, runner.epoch + 1, runner.max_epochs)

    def _recompute_if_due(self, runner: Any, done: int, end: int) -> None:
        loop = runner.train_loop
        validates = runner.val_loop is not None and done >= loop.val_begin
        if done == end or (validates and done % loop.val_interval == 0):
            self._recompute(runner)

    def _recompute(self, runner: Any) -> None:
        model = unwrap(runner.model)
        settings = dict(
            runner.cfg.train_dataloader, num_workers=0, timeout=0, persistent_workers=False
        )
        settings.pop('prefetch_factor', None)
        with preserved_random_state(), torch.no_grad():
            torch.manual_seed(runner.seed)
            batches = iter(runner.build_dataloader(settings, seed=runner.seed))

            def step() -> None:
                data = model.data_preprocessor(next(batches), training=True)
                model(**data, mode='loss')

            layers = precise_statistics(model, step, self.num_iters)
        runner.logger.info(
            f'precise batch norm: statistics of {layers} layers over {self.num_iters} batches'
        )
