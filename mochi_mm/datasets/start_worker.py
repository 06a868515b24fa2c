"""Start of a data loading worker."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading

from mochi_mm.registry import FUNCTIONS

#: Seconds that a loader with workers waits for a batch, where its config says nothing.
LOADER_TIMEOUT = 900


@FUNCTIONS.register_module()
def start_worker(worker_id: int) -> None:
    """Let a worker outlive the signals that end a run in good order, unless its parent sends one.

    A scheduler signals every process of a job. The main process then finishes its step and saves,
    for which it needs its workers; torch's workers would die at once and take the step with them.
    """
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    parent = multiprocessing.parent_process()
    if parent is not None:
        target, args = _leave_when_the_parent_asks, (parent.pid,)
        threading.Thread(target=target, args=args, daemon=True).start()


def _leave_when_the_parent_asks(parent: int | None) -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)
