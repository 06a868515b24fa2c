"""A thread that ends a wait for a batch where torch's own limit does not."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Any

from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter

_WAITING = _MultiProcessingDataLoaderIter._next_data.__code__
_SLACK = 2.0  # seconds that torch is given to raise by itself


class LoaderWatch(threading.Thread):
    """Kill the workers of a data loader that lets a thread wait beyond its ``timeout``.

    Torch limits the wait for the announcement of a batch. Its tensors are then asked for from the
    worker, and one that was stopped in between (SIGSTOP) never answers. Its death ends the wait,
    with an error of some kind in the thread that waits.

    As a context, it watches the thread that entered it.

    Args:
        interval: Seconds between two looks.

    Attributes:
        limit: Limit of the loader whose workers were killed; None where none were.
    """

    def __init__(self, interval: float = 1.0) -> None:
        super().__init__(name='loader watch', daemon=True)
        self.interval = interval
        self.limit: float | None = None
        self._watched = threading.get_ident()
        self._ends = threading.Event()

    def __enter__(self) -> LoaderWatch:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ends.set()

    def run(self) -> None:
        """Look until the context ends, or workers had to be killed."""
        waited, since = None, 0.0
        while not self._ends.wait(self.interval):
            iterator = _waiting_for(self._watched)
            if iterator is None or not iterator._timeout:
                waited = None
                continue
            # Of one wait: no batch handed out, and none arrived.
            wait = id(iterator), iterator._rcvd_idx, iterator._tasks_outstanding
            if wait != waited:
                waited, since = wait, time.monotonic()
            elif time.monotonic() - since > iterator._timeout + _SLACK:
                self.limit = iterator._timeout
                for worker in iterator._workers:
                    worker.kill()
                return


def _waiting_for(thread: int) -> Any:
    """Return the iterator of a loader with workers that a thread waits in, None where in none."""
    frame = sys._current_frames().get(thread)
    while frame is not None and frame.f_code is not _WAITING:
        frame = frame.f_back
    return None if frame is None else frame.f_locals['self']
