"""Run a function in several gloo processes on one machine."""

from __future__ import annotations

import datetime
import os
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from tests.forked import forking

TIMEOUT = datetime.timedelta(seconds=120)


def _work(
    rank: int, fn: Callable[..., Any], world_size: int, folder: str, args: tuple[Any, ...]
) -> None:
    """Join the group, call ``fn(rank, *args)`` and leave its result or its error in ``folder``."""
    torch.set_num_threads(1)
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(world_size))
    dist.init_process_group(
        'gloo',
        init_method=Path(folder, 'rendezvous').as_uri(),
        rank=rank,
        world_size=world_size,
        timeout=TIMEOUT,
    )
    try:
        result = fn(rank, *args)
        dist.barrier()
    except Exception as error:
        # A file, so that the caller gets the exception itself: spawn passes on its text alone.
        Path(folder, f'error{rank}').write_bytes(pickle.dumps(error))
        raise
    torch.save(result, Path(folder, f'result{rank}'))
    dist.destroy_process_group()


def run_ranks(fn: Callable[..., Any], world_size: int, *args: Any) -> list[Any]:
    """Call ``fn(rank, *args)`` in ``world_size`` gloo processes and return their results.

    Args:
        fn: A function at the top of a module (the new processes find it by name).
        world_size: Number of processes.
        args: Passed to every process; must be picklable.

    Returns:
        What each rank returned, in rank order. Tensors, containers, numbers, strings.

    Raises:
        Exception: What the first rank to fail raised, of the type it had there; the other ranks
            are ended.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            forking()
            mp.start_processes(
                _work, (fn, world_size, folder, args), nprocs=world_size, start_method='forkserver'
            )
        except mp.ProcessRaisedException as failure:
            # The rank that failed first; the others fail because it is gone.
            errors = sorted(Path(folder).glob('error*'), key=lambda path: path.stat().st_mtime_ns)
            if not errors:
                raise
            raise pickle.loads(errors[0].read_bytes()) from failure
        return [
            torch.load(Path(folder, f'result{rank}'), weights_only=False)
            for rank in range(world_size)
        ]
