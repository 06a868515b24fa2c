"""A bar with the time left, for work that takes a while."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.progress import track

from mochi_mm.utils.distributed import rank


def progress_bar(items: Iterable[Any], description: str, total: int, shown: bool = True) -> Any:
    """Return ``items``; a bar with the time left follows them where someone can see it.

    Args:
        items: What is worked through, batch by batch.
        description: What is done.
        total: Their number.
        shown: False for none. It is shown by rank 0, if stderr is a terminal.
    """
    if not (shown and rank() == 0 and sys.stderr.isatty()):
        return items
    return track(
        items,
        description=description,
        total=total,
        console=Console(stderr=True),
        transient=True,
    )
