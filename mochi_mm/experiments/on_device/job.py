"""Jobs in processes of their own, each with a log, together bounded in time."""

from __future__ import annotations

import multiprocessing as mp
import os
import runpy
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Literal

Way = Literal['forkserver', 'spawn']

#: Imported once, before the first job: a job then starts within a tenth of a second.
PRELOAD = (
    'torch._dynamo',
    'torchvision.io',
    'mmengine.runner',
    'mochi_mm.datasets',
    'mochi_mm.engine',
    'mochi_mm.evaluation',
    'mochi_mm.models',
    'mochi_mm.experiments.benchmark',
)


@dataclass(frozen=True)
class Job:
    """A call in a process of its own.

    Attributes:
        name: Name of its log.
        work: A function at the top of a module.
        arguments: What it is given, by name; must be picklable.
    """

    name: str
    work: Callable[..., object]
    arguments: Mapping[str, Any] = field(default_factory=dict)


def run_program(path: str, words: Sequence[str]) -> None:
    """Be the program at ``path``, given the words behind it."""
    sys.argv = [path, *words]
    sys.path.insert(0, str(Path(path).parent))
    runpy.run_path(path, run_name='__main__')


def _server() -> ForkServerContext:
    """Return the context whose server has imported ``PRELOAD`` once."""
    context = mp.get_context('forkserver')
    context.set_forkserver_preload(list(PRELOAD))
    return context


def way_to_start() -> Way:
    """Return ``forkserver``, or ``spawn`` where a forked process could not open the GPU.

    A package that asks CUDA for its devices when it is imported, as MMEngine does, shuts CUDA to
    all processes that are forked from it. Asked by the driver's library (NVML) it does not; whether
    that was possible is seen in a forked process.
    """
    os.environ['PYTORCH_NVML_BASED_CUDA_CHECK'] = '1'  # read when the server imports
    probe = _server().Process(target=_leave_if_shut)
    probe.start()
    probe.join()
    return 'spawn' if probe.exitcode else 'forkserver'


def _leave_if_shut() -> None:
    import torch

    sys.exit(int(torch.cuda._is_in_bad_fork()))


def run_jobs(
    jobs: Sequence[Job], folder: Path, seconds: float, way: Way = 'forkserver'
) -> dict[str, dict[str, Any]]:
    """Run jobs side by side; what is not done in time is ended, with all that it started.

    Args:
        jobs: Jobs of different names.
        folder: Where their logs go, ``NAME.log``.
        seconds: Time that they have together.
        way: How processes are started, see :func:`way_to_start`.

    Returns:
        By name: ``state`` (done, failed or late), ``seconds``, ``exit``, the code of the process.
    """
    context = _server() if way == 'forkserver' else mp.get_context('spawn')
    start = time.monotonic()
    running: dict[str, BaseProcess] = {}
    ended: dict[str, dict[str, Any]] = {}
    try:
        for job in jobs:
            log = str(folder / f'{job.name}.log')
            given = (job, log, dict(os.environ))
            running[job.name] = context.Process(target=_enter, args=given)
            running[job.name].start()
        while running and (left := start + seconds - time.monotonic()) > 0:
            wait([process.sentinel for process in running.values()], left)
            for name in [name for name, process in running.items() if not process.is_alive()]:
                done = running.pop(name)
                done.join()
                ended[name] = _ending('failed' if done.exitcode else 'done', done, start)
    finally:
        for name, process in running.items():
            _end(process)
            ended[name] = _ending('late', process, start)
    return {job.name: ended[job.name] for job in jobs}


def _ending(state: str, process: BaseProcess, start: float) -> dict[str, Any]:
    elapsed = round(time.monotonic() - start, 2)
    return dict(state=state, seconds=elapsed, exit=process.exitcode)


def _end(process: BaseProcess) -> None:
    """End a process and those of its session, such as the workers of a loader."""
    try:
        if process.pid is not None:
            os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:  # it has not yet begun a session
        process.kill()
    process.join()


def _enter(job: Job, log: str, environment: dict[str, str]) -> None:
    """Do the work, in a session of its own, with both outputs in the log."""
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for stream in (1, 2):
        os.dup2(target, stream)
    mp.set_start_method(None, force=True)
    job.work(**job.arguments)
