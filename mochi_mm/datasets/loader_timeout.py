"""A data loader whose workers are frozen: noticed, named, and taken down."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mochi_mm.datasets.start_worker import LOADER_TIMEOUT


def with_timeout(dataloader: Mapping[str, Any]) -> dict[str, Any]:
    """Return the config of a loader with a limit to its waiting.

    Raises:
        ValueError: A limit without workers, which torch does not take.
    """
    if dataloader.get('num_workers'):
        return {'timeout': LOADER_TIMEOUT, **dataloader}
    if dataloader.get('timeout'):
        raise ValueError(
            f'a data loader has timeout={dataloader["timeout"]} and no workers: the limit is on '
            'waiting for them. Expected num_workers of at least 1, or no timeout.'
        )
    return dict(dataloader)


class FrozenWorkerError(RuntimeError):
    """A data loader waited longer than its ``timeout``; says what to do."""


@contextmanager
def frozen_workers_named() -> Iterator[None]:
    """Turn torch's error of a loader that waited too long into one that says what to do.

    The workers are killed: one that is stopped, or waits for a disk, would keep the process from
    ending.

    Raises:
        FrozenWorkerError: A loader waited longer than its ``timeout``.
    """
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, FrozenWorkerError) or 'DataLoader timed out' not in str(error):
            raise
        _kill_workers()
        raise FrozenWorkerError(
            f'no batch came from the workers of a data loader ({error}): one of them is frozen, or '
            'the storage is. Look at the disk or mount that holds the data, then continue with '
            '--resume (training) or start it again. Where a batch really takes that long, raise '
            f'timeout of the dataloader (seconds, {LOADER_TIMEOUT} unless set), or take more '
            'workers.'
        ) from error


def _kill_workers(seconds: float = 5.0) -> None:
    """Kill the workers of all loaders, and wait for their end.

    Torch raises at once where one of its workers dies, in the middle of whatever runs; here they
    are meant to.
    """
    workers = [child for child in multiprocessing.active_children() if child.daemon]
    here = threading.current_thread() is threading.main_thread()
    former = signal.signal(signal.SIGCHLD, signal.SIG_DFL) if here else None
    for worker in workers:
        worker.kill()
    for worker in workers:
        worker.join(seconds)
    if here:
        signal.signal(signal.SIGCHLD, former)
