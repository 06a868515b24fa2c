"""Whether a run that was interrupted gives the bits of one that was not, on this device."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook
from torch import Tensor
from torch.utils._pytree import keystr, tree_flatten_with_path

from mochi_mm.engine.hooks.preemption_hook import EXIT_PREEMPTED
from mochi_mm.experiments.benchmark import machine, write_json
from mochi_mm.experiments.on_device.held_config import held_config
from mochi_mm.files.checkpoint import read_checkpoint
from mochi_mm.files.checkpoint_folder import newest_valid
from mochi_mm.launch.runner import build_runner

PARTS = ('state_dict', 'optimizer', 'param_schedulers')
#: With the settings of the config, and with torch's deterministic algorithms.
WAYS = ('as configured', 'deterministic')


class StopHook(Hook):
    """Ask the run to stop, as a scheduler does, in the middle of iteration ``at``."""

    def __init__(self, at: int) -> None:
        self.at = at

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Send the signal."""
        if runner.iter == self.at:
            os.kill(os.getpid(), signal.SIGTERM)


def resume_check(
    method: str,
    data: Path | None,
    epochs: int,
    workers: int,
    device: str,
    ways: Sequence[str],
    out: Path,
) -> None:
    """Write whether three runs end in the same bits: twice straight, once stopped and resumed.

    Straight runs that differ from each other show kernels that add in no fixed order, and then
    nothing is said about a resume. First with the config's own settings, but for cuDNN's choice
    among its algorithms by time; then with torch's deterministic algorithms, where all are there.
    The images are those of the test set, which are fewer.

    Args:
        method: ``mocov2`` or ``mochi``.
        data: Folder with the packs of CIFAR-10; None for a rehearsal.
        epochs: Epochs of a run; the interruption comes in the middle of all steps.
        workers: Of the loader.
        device: Device that is named beside the findings.
        ways: Some of ``WAYS``.
        out: The file that is written.
    """
    os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')
    found: dict[str, Any] = dict(machine=machine(device), method=method, epochs=epochs)
    for name in ways:
        with tempfile.TemporaryDirectory() as folder:
            try:
                found[name] = _three_runs(
                    method, data, epochs, workers, name == WAYS[1], Path(folder)
                )
            except RuntimeError as error:  # an operation without a deterministic form
                found[name] = dict(failed=str(error))
        write_json(out, found)


def _three_runs(
    method: str, data: Path | None, epochs: int, workers: int, deterministic: bool, folder: Path
) -> dict[str, Any]:
    """Return the numbers of tensors and values compared, and those that differ, by pair of runs."""
    ends: dict[str, dict[str, Any]] = {}
    for name in ('straight', 'again', 'resumed'):
        config = held_config(method, data, epochs, 0, workers, folder / name, 'val')
        config.custom_hooks = []
        config.env_cfg.cudnn_benchmark = False
        config.randomness.deterministic = deterministic
        config.log_level = 'WARNING'
        if name == 'resumed':
            steps = _stopped(config, epochs)
            config.resume = True
        config.experiment_name = f'{name}_{deterministic}_{os.getpid()}'
        build_runner(config).train()
        ends[name] = end_of_run(folder / name)
    return dict(
        stopped_after=steps,
        straight_twice=different(ends['straight'], ends['again']),
        straight_and_resumed=different(ends['straight'], ends['resumed']),
    )


def _stopped(config: Any, epochs: int) -> int:
    """Train to the middle of all steps and save; return the number of steps that were taken."""
    runner = build_runner(config)
    steps = epochs * len(runner.train_dataloader)
    runner.register_hook(StopHook(steps // 2), 'HIGH')
    try:
        runner.train()
    except SystemExit as leaving:
        if leaving.code != EXIT_PREEMPTED:
            raise
        return steps // 2 + 1
    raise RuntimeError(f'a run of {steps} steps was not stopped by a signal at {steps // 2}.')


def end_of_run(folder: Path) -> dict[str, Any]:
    """Return tensors and values of the newest checkpoint of a run, by where they stand in it."""
    newest, _ = newest_valid(folder)
    if newest is None:
        raise RuntimeError(f'{folder} has no checkpoint; the run did not save its end.')
    content = read_checkpoint(newest)
    leaves, _ = tree_flatten_with_path({part: content[part] for part in PARTS})
    return {keystr(path): leaf for path, leaf in leaves}


def different(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return how many leaves two runs have, how many differ in a bit, and the first ten of them."""
    names = [
        name
        for name in {**one, **other}
        if name not in one or name not in other or not _same(one[name], other[name])
    ]
    return dict(compared=len(one), different=len(names), first=names[:10])


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    return type(one) is type(other) and one == other
