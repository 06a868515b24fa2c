"""Figures that a hook measures now and then, among the curves of the training log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def add_to_curves(runner: Any, figures: Mapping[str, Any], epoch: int) -> None:
    """Write figures to the visualizer, with epoch and iteration.

    The iteration is the step, and the file that of the training log: they join its curves.

    Args:
        runner: The runner.
        figures: By the names of the log.
        epoch: Epochs that have passed.
    """
    runner.visualizer.add_scalars(
        dict(figures, epoch=epoch, iter=runner.iter),
        step=runner.iter,
        file_path=f'{runner.timestamp}.json',
    )
