"""Refusing a hook that measures between epochs in a run that has none."""

from __future__ import annotations

from typing import Any

from mmengine.runner import IterBasedTrainLoop


def check_epochs_counted(runner: Any, hook: Any) -> None:
    """Refuse a loop that counts iterations: it is one long epoch, and no interval would pass.

    Args:
        runner: The runner, before its first step.
        hook: A hook with an ``interval`` in epochs.

    Raises:
        ValueError: The loop counts iterations.
    """
    if isinstance(runner.train_loop, IterBasedTrainLoop):
        raise ValueError(
            f'{type(hook).__name__} has interval={hook.interval}, which counts epochs, and this '
            f'run counts iterations (max_iters={runner.max_iters}), so it would measure nothing '
            'before the end; expected train_cfg=dict(by_epoch=True, max_epochs=...), or a run '
            'without this hook, whose checkpoints are measured afterwards.'
        )
