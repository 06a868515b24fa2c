"""A run of MoCo-v2 or MoCHi on images that lie on the device."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mochi_mm.experiments.benchmark import machine
from mochi_mm.experiments.on_device.epoch_figures_hook import EpochFiguresHook
from mochi_mm.experiments.on_device.held_config import held_config
from mochi_mm.launch.runner import build_runner


def train_held(
    method: str,
    data: Path | None,
    epochs: int,
    seed: int,
    workers: int,
    knn: bool,
    device: str,
    out: Path,
) -> None:
    """Train, and write seconds and loss of every epoch and kNN: see :class:`EpochFiguresHook`.

    Args:
        method: ``mocov2`` or ``mochi``.
        data: Folder with the packs of CIFAR-10; None for a rehearsal.
        epochs: Epochs of training.
        seed: Seed of the run.
        workers: Of the loader.
        knn: Measure kNN at half of the epochs and at the end.
        device: Device that is named beside the figures; the runner takes the first one there is.
        out: The file that is written.
    """
    facts = dict(
        machine=machine(device),
        method=method,
        seed=seed,
        planned_epochs=epochs,
        workers=workers,
        data='generated scenes' if data is None else 'CIFAR-10',
    )
    with tempfile.TemporaryDirectory() as folder:
        work_dir = Path(folder) / f'{method}_{seed}'
        config = held_config(method, data, epochs, seed, workers, work_dir)
        if not knn:
            config.custom_hooks = []
        runner = build_runner(config)
        runner.register_hook(EpochFiguresHook(out, facts), 'LOWEST')
        runner.train()
