"""Saving a run: every save goes through here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from mochi_mm.distributed.agreement import any_rank
from mochi_mm.distributed.rows import rank
from mochi_mm.engine.run_state import collect_state
from mochi_mm.files.checkpoint_writer import CheckpointWriter


def save_run(
    runner: Any,
    writer: CheckpointWriter,
    name: str,
    epoch: int,
    iteration: int,
    meta: dict[str, Any] | None = None,
    without: tuple[str, ...] = (),
) -> Path | None:
    """Save a run, on all ranks together; return the path on rank 0.

    There, hooks of others are heard first (``before_save_checkpoint``), so that the file holds what
    they make of it: with MMEngine's EMAHook the average, which is what was validated, under
    ``state_dict``, and what goes on training under ``ema_state_dict``. Then
    :meth:`CheckpointWriter.write`.

    Args:
        runner: The runner.
        writer: For the folder.
        name: Name of the file.
        epoch: Number of finished epochs.
        iteration: Number of finished iterations.
        meta: Further entries of ``meta``.
        without: Parts to leave out, such as ``optimizer``.

    Raises:
        OSError: The disk does not take it; on all ranks.
        ValueError: A hook put in what cannot be read again.
        FloatingPointError: A weight or statistic is not finite.
        RuntimeError: A hook failed at the disk or changed the run, or another run has the work
            dir; on other ranks, rank 0 failed.
    """
    content = collect_state(runner, epoch, iteration)
    content['meta'] = {**(meta or {}), **content['meta']}
    content = {part: value for part, value in content.items() if part not in without}
    path = problem = None
    if not rank():
        try:
            check_alone(runner)
            hear_before_saving(runner, content)
            path = writer.write(name, content)
        except OSError as error:
            problem = error
        except Exception:
            any_rank(True)  # the others wait below
            raise
    if any_rank(False):
        raise RuntimeError('rank 0 could not save the run; its log says why')
    if any_rank(problem is not None):
        raise problem or OSError('rank 0 could not write the checkpoint')
    return path


def check_alone(runner: Any) -> None:
    """Raise ``RuntimeError`` where another run took this one for dead and has its work dir."""
    lock = getattr(runner, 'run_lock', None)
    if lock is not None and not lock.is_ours():
        raise RuntimeError(
            f'another run has taken {runner.work_dir}: this one gave no sign of life for a while. '
            "Nothing was saved, for the files there are the other run's now."
        )


def hear_before_saving(runner: Any, content: dict[str, Any]) -> None:
    """Call ``before_save_checkpoint`` of every hook, in their order.

    Raises:
        RuntimeError: A hook failed at the disk, which is not the disk of the checkpoint, or wrote
            into a tensor of the run.
    """
    versions = [(where, tensor, tensor._version) for where, tensor in _tensors(content, '')]
    for hook in runner.hooks:
        who = f'{type(hook).__name__}.before_save_checkpoint'
        try:
            hook.before_save_checkpoint(runner, checkpoint=content)
        except OSError as error:
            raise RuntimeError(f'{who} failed, and nothing was saved: {error}') from error
        changed = next((where for where, t, version in versions if t._version != version), None)
        if changed is not None:
            raise RuntimeError(
                f'{who} wrote into {changed} of the checkpoint, which is the tensor that is '
                'trained: the run is no longer what it was, and nothing was saved. A hook changes '
                'a checkpoint by putting another tensor in its place.'
            )


def _tensors(node: Any, where: str) -> list[tuple[str, Tensor]]:
    if isinstance(node, Tensor):
        return [(where, node)]
    children = node.items() if isinstance(node, dict) else ()
    if isinstance(node, (list, tuple)):
        children = enumerate(node)  # type: ignore[assignment]
    return [
        found
        for key, child in children
        for found in _tensors(child, f'{where}.{key}' if where else str(key))
    ]
