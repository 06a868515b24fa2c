"""A folder of its own for each start, also for two of one second."""

from __future__ import annotations

from pathlib import Path

_named: set[str] = set()  # the starts of this process


def claim_folder(parent: Path, name: str) -> str:
    """Make a folder that was not there, under ``name`` or with a number behind it; return which.

    No two calls in one process return the same, whatever the parents. Where no folder can be made,
    the engine then fails at it, on all ranks.
    """
    free, number = name, 0
    while True:
        try:
            if free not in _named:
                _named.add(free)
                (parent / free).mkdir()
                return free
        except FileExistsError:
            pass
        except OSError:
            return free
        number += 1
        free = f'{name}_{number}'
