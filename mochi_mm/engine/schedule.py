"""Learning rates as they would be had the run been set up this way from the start."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any


def hyperparameters(optimizer: Any) -> list[dict[str, Any]]:
    """Return the settings of each parameter group, such as the learning rate."""
    return [{k: v for k, v in group.items() if k != 'params'} for group in optimizer.param_groups]


def set_hyperparameters(optimizer: Any, groups: Sequence[Mapping[str, Any]]) -> None:
    """Put back what :func:`hyperparameters` returned."""
    for group, values in zip(optimizer.param_groups, groups, strict=True):
        group.update(values)


def replay(schedulers: Sequence[Any], epochs: int, iterations: int, epoch_length: int) -> None:
    """Step freshly built schedulers through a run's past, in training's order.

    Args:
        schedulers: MMEngine's parameter schedulers, never stepped; their optimizer has the
            hyperparameters of the start.
        epochs: Finished epochs; 0 in an iteration loop.
        iterations: Finished iterations.
        epoch_length: Iterations per epoch.
    """
    by_iteration = [s for s in schedulers if not s.by_epoch]
    by_epoch = [s for s in schedulers if s.by_epoch]
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', UserWarning)  # that the optimizer has not stepped yet
        for epoch in range(epochs + 1):
            stop = iterations if epoch == epochs else (epoch + 1) * epoch_length
            for _ in range(epoch * epoch_length, stop) if by_iteration else ():
                for scheduler in by_iteration:
                    scheduler.step()
            if epoch < epochs:
                for scheduler in by_epoch:
                    scheduler.step()
