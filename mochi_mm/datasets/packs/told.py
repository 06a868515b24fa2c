"""Lines that say how far a long piece of work is, for terminals and log files alike."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar('Item')
#: Seconds between two lines.
EVERY = 10.0


def told(
    items: Iterable[Item],
    total: int,
    what: str,
    tell: Callable[[str], object],
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Item]:
    """Yield the items, and say now and then how many are done, how fast, and the time left.

    Args:
        items: What is worked through.
        total: Their number.
        what: What they are called.
        tell: Called with each line.
        clock: Seconds.
    """
    start = said = clock()
    for done, item in enumerate(items, 1):
        yield item
        now = clock()
        if now - said >= EVERY:
            said = now
            rate = done / (now - start)
            left = datetime.timedelta(seconds=round((total - done) / rate))
            tell(f'{done} of {total} {what}, {rate:.0f} a second, {left} left')
