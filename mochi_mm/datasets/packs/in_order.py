"""Work that several processes share, its results in the order of the work."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing.connection import wait
from typing import TypeVar

Item = TypeVar('Item')
Result = TypeVar('Result')
#: Pieces of work that are given to each process ahead of the result that is waited for.
_AHEAD = 4


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Iterator[Result]:
    """Yield ``work(item)`` of each item, in their order, with few results in memory.

    Args:
        work: A function that can be pickled.
        items: What it is called with; taken from only as far as the results are used.
        workers: Processes; with one, this process does the work itself. They end with this
            process, however it ends.

    Raises:
        concurrent.futures.process.BrokenProcessPool: A process was killed.
    """
    if workers <= 1:
        yield from map(work, items)
        return
    context = multiprocessing.get_context('fork')
    with ProcessPoolExecutor(workers, context, initializer=_start) as pool:
        ahead: deque[Future[Result]] = deque()
        for item in items:
            ahead.append(pool.submit(work, item))
            if len(ahead) >= _AHEAD * workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _start() -> None:
    """Leave Ctrl-C to the parent, and end when it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
