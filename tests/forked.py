"""Command lines of the project, in processes forked from a server that has imported everything.

A new interpreter imports for seconds; a forked one is there at once. The rest of a process is the
same: its exit code, its two outputs, its folder and its environment. What is proved of an import
alone needs a new one.
"""

from __future__ import annotations

import atexit
import multiprocessing as mp
import os
import runpy
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import torch

REPOSITORY = Path(__file__).resolve().parents[1]
OUTPUTS = (1, 2)
#: What a training imports, beside what this module does.
PRELOAD = [
    'tests.toy_runner',
    'tests.faults.job',
    'torch._dynamo',
    'torch.distributed',
    'torch.utils.serialization.config',
    'matplotlib.backends.backend_agg',
    'matplotlib.pyplot',
    'mmcv.image',
    'mmengine.visualization',
    'setuptools',
    'yapf',
    'PIL.JpegImagePlugin',
    'mochi_mm.engine',
    'mochi_mm.evaluation',
    'mochi_mm.models',
    'mochi_mm.visualization',
]


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def forking() -> ForkServerContext:
    """Return the context whose server has imported the heavy packages once."""
    context = mp.get_context('forkserver')
    context.set_forkserver_preload(PRELOAD)
    return context


def run_forked(
    work: Callable[..., object],
    *arguments: object,
    folder: Path = REPOSITORY,
    seconds: float = 300,
    **environment: str,
) -> Done:
    """Call a function in a process of its own and return how that ended.

    Args:
        work: A function at the top of a module.
        arguments: Given to it; must be picklable.
        folder: Working folder of the process.
        seconds: It is killed behind so many.
        environment: Variables beside those of this process; it sees no GPU.
    """
    seen = dict(os.environ, OMP_NUM_THREADS='1', CUDA_VISIBLE_DEVICES='-1')
    with tempfile.TemporaryDirectory() as output:
        given = (work, arguments, folder, dict(seen, **environment), Path(output))
        process = forking().Process(target=_enter, args=given)
        process.start()
        process.join(seconds)
        if process.is_alive():
            process.kill()
            process.join()
        paths = [Path(output, str(number)) for number in OUTPUTS]
        texts = [p.read_text(errors='surrogateescape') if p.exists() else '' for p in paths]
        assert process.exitcode is not None
        return Done(process.exitcode, *texts)


def run_tool(tool: str, *arguments: object, **settings: Any) -> Done:
    """Run a program as a command line would and return how it ended.

    Args:
        tool: Path below ``tools/``.
        arguments: What stands behind it.
        settings: See :func:`run_forked`.
    """
    words = [str(REPOSITORY / 'tools' / tool), *map(str, arguments)]
    return run_forked(run_program, words, **settings)


def run_program(words: list[str]) -> None:
    """Be the program ``words[0]``, given the rest."""
    sys.argv = words
    sys.path.insert(0, str(Path(words[0]).parent))
    runpy.run_path(words[0], run_name='__main__')


def _enter(
    work: Callable[..., object],
    arguments: tuple[object, ...],
    folder: Path,
    environment: dict[str, str],
    output: Path,
) -> None:
    """Make this process what a new one would be, call ``work`` and leave as a new one would."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number in OUTPUTS:
        os.dup2(os.open(output / str(number), os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    torch.set_num_threads(1)
    mp.set_start_method(None, force=True)
    tempfile.tempdir = None
    try:
        work(*arguments)
    finally:
        atexit._run_exitfuncs()
