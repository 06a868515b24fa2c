"""Progress bar with the time left, for work that takes a while."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

from mmengine.dist import is_main_process
from rich.console import Console
from rich.progress import track

# What is done sooner needs no bar.
QUIET_SECONDS = 1.5


def progress_bar(items: Iterable[Any], description: str, total: int, shown: bool = True) -> Any:
    """Return ``items``; a bar with the time left follows them where someone can see it.

    It shows once the work has taken :data:`QUIET_SECONDS`.

    Args:
        items: Batches, or other items, to be worked through.
        description: Name of the work, shown before the bar.
        total: Their number.
        shown: False for none. It is shown by rank 0, if stderr is a terminal.
    """
    if not (shown and is_main_process() and sys.stderr.isatty()):
        return items
    return _with_bar(iter(items), description, total)


def _with_bar(items: Iterator[Any], description: str, total: int) -> Iterator[Any]:
    began, done = time.monotonic(), 0
    for item in items:
        yield item
        done += 1
        if time.monotonic() - began >= QUIET_SECONDS:
            break
    else:
        return
    yield from track(
        items,
        description=description,
        total=total - done,
        console=Console(stderr=True),
        transient=True,
    )
