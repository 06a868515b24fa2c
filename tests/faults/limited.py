"""A limit of time for what must not wait."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class StillWaiting(BaseException):
    """The limit has passed; no ``Exception``, for what is tested may catch those."""


@contextmanager
def within_seconds(seconds: int) -> Iterator[None]:
    """Fail if the block takes longer, also where it waits in the kernel for a pipe."""

    def stop(number: int, frame: Any) -> None:
        raise StillWaiting(f'still waiting after {seconds} seconds')

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
