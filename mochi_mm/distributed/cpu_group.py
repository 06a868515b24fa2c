"""The group in which ranks exchange what their CPUs know."""

from __future__ import annotations

import datetime
from typing import Any

import torch.distributed as dist

_groups: dict[int, Any] = {}


def cpu_group(timeout: float | None = None) -> Any:
    """Return a group of all ranks that exchanges CPU tensors, so no accelerator is waited for.

    The first call opens it; where the ranks speak gloo anyway, it is the group of all. All ranks
    must call it together.

    Args:
        timeout: Seconds that a rank waits for the others; None takes torch's default. Without
            effect on a group that is open.
    """
    world = dist.group.WORLD
    if id(world) not in _groups:
        limit = None if timeout is None else datetime.timedelta(seconds=timeout)
        _groups.clear()
        spoken = dist.get_backend() == 'gloo'
        _groups[id(world)] = world if spoken else dist.new_group(backend='gloo', timeout=limit)
    return _groups[id(world)]
