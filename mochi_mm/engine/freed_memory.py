"""Let a process keep the memory that its steps free."""

from __future__ import annotations

import ctypes

# Numbers of options, from malloc.h of the GNU C library.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4


def keep_freed_memory() -> bool:
    """Hold freed blocks for the next step instead of handing them back to the system.

    By default glibc maps every large block afresh and unmaps it when it is freed. The activations
    of a step on the CPU are such blocks, and the system has to clear every page of them again in
    every step. With this the process holds on to the most it ever needed. Nothing that is computed
    changes.

    Returns:
        Whether the C library has the switch; glibc does, others may not and stay as they are.
    """
    switch = getattr(ctypes.CDLL(None), 'mallopt', None)
    return switch is not None and bool(switch(_MMAP_MAX, 0) and switch(_TRIM_THRESHOLD, -1))
