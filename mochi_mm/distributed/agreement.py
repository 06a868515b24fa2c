"""Agreement of all ranks on one yes or no."""

from __future__ import annotations

import datetime
import time

import torch
import torch.distributed as dist

from mochi_mm.distributed.cpu_group import cpu_group
from mochi_mm.distributed.rows import rank, world_size

# One tensor that is never freed: gloo's threads may let go of it after the interpreter's end began.
_shared = torch.zeros(1, dtype=torch.int64)


def any_rank(flag: bool) -> bool:
    """Return whether ``flag`` is true on at least one rank. All ranks must call it together.

    The flags travel between CPUs, so an accelerator is not made to wait.
    """
    if world_size() == 1:
        return flag
    _shared.fill_(int(flag))
    dist.all_reduce(_shared, op=dist.ReduceOp.MAX, group=cpu_group())
    return bool(_shared.item())


def is_lost_connection(error: BaseException) -> bool:
    """Return whether an error means that the other ranks could not be reached, or not in time."""
    words = ('gloo', 'nccl', 'connection closed', 'connection reset', 'timed out')
    return world_size() > 1 and (
        isinstance(error, dist.DistError)
        or (isinstance(error, RuntimeError) and any(w in str(error).lower() for w in words))
    )


def absent_ranks(seconds: float = 5.0) -> list[int]:
    """Return the ranks that do not answer within ``seconds``; the others must call it as well.

    Meant for the moment after a collective operation failed: it names who is dead or frozen.
    """
    store = dist.distributed_c10d._get_default_store()
    deadline = time.monotonic() + seconds
    absent = []
    try:
        store.set(f'mochi_mm/alive/{rank()}', '1')
        for number in range(world_size()):
            left = max(0.1, deadline - time.monotonic())
            try:
                store.wait([f'mochi_mm/alive/{number}'], datetime.timedelta(seconds=left))
            except (dist.DistStoreError, RuntimeError):
                absent.append(number)
    except (dist.DistError, RuntimeError):  # the process that keeps the store is gone: rank 0
        absent = [0]
    return absent
