"""A training job in a process of its own that tells what it did, to be killed and signalled.

Processes are forked from a server that has imported everything, so one starts in a second.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook
from torch import nn

from mochi_mm.models.algorithms.moco import MoCo
from mochi_mm.registry import HOOKS, MODELS
from tests.forked import forking
from tests.toy_runner import runner_config, train


@MODELS.register_module(force=True)
class HeavyMoCo(MoCo):
    """MoCo with ``ballast`` bytes more to save."""

    def __init__(self, ballast: int = 0, **settings: Any) -> None:
        super().__init__(**settings)
        self.ballast = nn.Parameter(torch.zeros(ballast // 4), requires_grad=False)


@HOOKS.register_module(force=True)
class TellHook(Hook):
    """Appends ``word number`` lines to the diary of the job: started, did, saved."""

    priority = 'LOWEST'

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay

    def before_train(self, runner: Any) -> None:
        tell(runner.work_dir, 'started', runner.iter)

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        time.sleep(self.delay)
        tell(runner.work_dir, 'did', runner.iter)

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        if Path(runner.work_dir, f'iter_{runner.iter + 1}.pth.json').exists():
            tell(runner.work_dir, 'saved', runner.iter + 1)


def tell(folder: str, word: str, number: int) -> None:
    """Write one line in one system call: a kill cannot tear it."""
    file = os.open(Path(folder, 'diary'), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f'{word} {number}\n'.encode())
    os.close(file)


def diary(folder: Path, word: str) -> list[int]:
    """Return the numbers behind ``word`` in a job's diary."""
    path = folder / 'diary'
    lines = path.read_text().splitlines() if path.exists() else []
    return [int(line.split()[1]) for line in lines if line.split()[0] == word]


def job_config(folder: Path, resume: bool = True, **changes: Any) -> Any:
    """Return the config of a job with 4 iterations an epoch; ``changes`` by dotted key."""
    delay, ballast = changes.pop('delay', 0.0), changes.pop('ballast', 0)
    config = runner_config(folder, max_epochs=changes.pop('max_epochs', 3))
    config.merge_from_dict(changes)
    if ballast:
        config.model.update(type='HeavyMoCo', ballast=ballast)
    config.custom_hooks = [dict(type='TellHook', delay=delay)]
    config.resume = resume
    config.experiment_name = f'{folder.name}_{os.getpid()}_{time.time_ns()}'
    config.log_level = 'WARNING'
    return config


def _work(folder: Path, changes: dict[str, Any], max_file: int | None) -> None:
    os.setsid()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    output = os.open(folder / 'output', os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    if max_file is not None:
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (max_file, resource.RLIM_INFINITY))
    train(job_config(folder, **changes))


def start(folder: Path, max_file: int | None = None, **changes: Any) -> Any:
    """Start a job in a session of its own and return its process.

    Args:
        folder: Work dir, with the job's diary and output.
        max_file: Largest file the job can write, bytes: a full disk without one.
        changes: See :func:`job_config`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    process = forking().Process(target=_work, args=(folder, changes, max_file))
    process.start()
    return process


def wait_for(condition: Callable[[], bool], process: Any, seconds: float = 600) -> None:
    """Wait until ``condition`` holds; the job must not end before."""
    deadline = time.monotonic() + seconds
    while not condition():
        if not process.is_alive() or time.monotonic() > deadline:
            raise AssertionError(f'the job ended with {process.exitcode} or took too long')
        time.sleep(0.005)
