"""Figures of a run, written after every epoch."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook

from mochi_mm.experiments.benchmark import write_json


class EpochFiguresHook(Hook):
    """Write seconds and loss of every epoch, and kNN where it was measured, to a file.

    The seconds of an epoch are those of its steps: data and optimizer included, kNN and checkpoints
    not. The file is written after each epoch, so a run that is ended leaves what it had.

    Args:
        out: The file, JSON.
        facts: What else is written there.
    """

    priority = 'LOWEST'

    def __init__(self, out: Path, facts: dict[str, Any]) -> None:
        self.out, self.facts = out, facts
        self.epochs: list[dict[str, Any]] = []
        self._start = self._last = 0.0

    def before_train_epoch(self, runner: Any) -> None:
        """Note the time."""
        self._wait()
        self._start = time.perf_counter()

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Note the time behind the last step, before other hooks measure anything."""
        if batch_idx + 1 == len(runner.train_dataloader):
            self._wait()
            self._last = time.perf_counter()

    def after_train_epoch(self, runner: Any) -> None:
        """Write what there is."""
        self.epochs.append(
            dict(
                epoch=runner.epoch + 1,
                seconds=self._last - self._start,
                loss=float(runner.message_hub.get_scalar('train/loss').current()),
            )
        )
        self._write(runner)

    def after_train(self, runner: Any) -> None:
        """Write it again, with the kNN of the end."""
        self._write(runner)

    def _write(self, runner: Any) -> None:
        scalars = runner.message_hub.log_scalars
        knn = {
            name: float(scalar.current())
            for name, scalar in scalars.items()
            if name.startswith('knn/')
        }
        write_json(self.out, dict(self.facts, epochs=self.epochs, knn=knn))

    def _wait(self) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
