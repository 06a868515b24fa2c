"""The checkpoint that a run goes on from, the same on all ranks."""

from __future__ import annotations

import logging
from typing import Any

from mmengine.dist import broadcast_object_list

from mochi_mm.distributed.rows import rank
from mochi_mm.files.checkpoint_folder import newest_valid
from mochi_mm.runs.start_record import written_since


def newest_checkpoint(runner: Any, own: bool = False) -> str | None:
    """Return the newest whole checkpoint that rank 0 finds; all ranks take that one.

    Args:
        runner: The runner, whose work dir is looked at.
        own: Look only at what this job wrote, in any of its starts.

    Raises:
        ValueError: There are checkpoints, and none is whole.
    """
    answer: list[Any] = [None, None]
    if rank() == 0:
        try:
            among = written_since(runner.work_dir) if own else None
            path, refused = newest_valid(runner.work_dir, among)
            answer[0] = None if path is None else str(path)
            for sentence in refused:
                runner.logger.log(logging.WARNING, f'checkpoint left out: {sentence}')
        except ValueError as error:
            answer[1] = str(error)
    broadcast_object_list(answer)
    if answer[1] is not None:
        raise ValueError(answer[1])
    return answer[0]
