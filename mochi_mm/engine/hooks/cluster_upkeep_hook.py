"""Clusters that follow their rows, kept up every few iterations."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook

from mochi_mm.randomness import StepKey
from mochi_mm.registry import HOOKS
from mochi_mm.structures.protocols import KeepsClusters
from mochi_mm.utils.checks import check_integer
from mochi_mm.utils.unwrap import unwrap


@HOOKS.register_module()
class ClusterUpkeepHook(Hook):
    """Move centroids, merge small clusters and refill empty ones every ``interval`` iterations.

    After the step has written its rows. The authors of InterCLR move centroids every 10 iterations
    and look for small clusters at each; here both happen together. Logged as ``clusters/...``.

    Args:
        interval: Iterations.

    Raises:
        ValueError: An interval below 1; before training, a model without such clusters.
    """

    priority = 'NORMAL'

    def __init__(self, interval: int = 10) -> None:
        self.interval = check_integer('interval', interval, 10)

    def before_train(self, runner: Any) -> None:
        """Find the parts with clusters."""
        self.keepers = [m for m in unwrap(runner.model).modules() if isinstance(m, KeepsClusters)]
        if not self.keepers:
            raise ValueError(
                'ClusterUpkeepHook found no part of the model with clusters that move; expected '
                'one, such as the bank of an InterClusterHead: choose that head, or remove the '
                'hook.'
            )

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Keep the clusters up where it is time."""
        if not self.every_n_train_iters(runner, self.interval):
            return
        for number, keeper in enumerate(self.keepers):
            key = StepKey(runner.seed, runner.iter)
            stream = f'cluster upkeep {number}'
            device = next(unwrap(runner.model).parameters()).device
            figures = keeper.upkeep(key.generator(stream, device, per_rank=False))
            for name, value in figures.items():
                runner.message_hub.update_scalar(f'train/clusters/{name}', value)
