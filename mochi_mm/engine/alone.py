"""A work dir for one run, on all its ranks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from mmengine.dist import broadcast_object_list

from mochi_mm.distributed.rows import rank
from mochi_mm.files.run_lock import RunLock


@contextmanager
def alone_in_work_dir(runner: Any) -> Iterator[None]:
    """Hold the work dir of a run while it trains; all ranks must enter it together.

    ``runner.run_lock`` is the lock meanwhile, on rank 0.

    Raises:
        ValueError: Another run lives there; on all ranks.
        OSError: The lock cannot be written; on all ranks.
    """

    def wait(seconds: float) -> None:
        runner.logger.info(
            f'a run on another machine had {runner.work_dir}; waiting {seconds:.0f} s for a sign '
            'of life'
        )
        time.sleep(seconds)

    problem: list[Any] = [None]
    with ExitStack() as stack:
        if rank() == 0:
            try:
                runner.run_lock = stack.enter_context(RunLock(runner.work_dir, wait))
            except (ValueError, OSError) as error:
                problem = [error]
        broadcast_object_list(problem)
        if problem[0] is not None:
            raise problem[0]
        try:
            yield
        finally:
            runner.run_lock = None
