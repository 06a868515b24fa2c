"""The validation that a run was stopped before: it belongs to the position that is resumed."""

from __future__ import annotations

from typing import Any

from mmengine import runner as engine

#: Key of the message hub: the iteration that the last validation of the run came behind. The
#: engine prints every key that begins with ``train``, ``val`` or ``test`` as a result.
VALIDATED_AT = 'iteration_of_last_validation'
_FORMER = 'validated_at'  # in checkpoints of 0.1


def rename_former(info: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a message hub, of this version or an earlier one, by new names."""
    return {VALIDATED_AT if name == _FORMER else name: value for name, value in info.items()}


def counts_epochs(runner: Any) -> bool:
    """Return whether a run is trained by epochs, not by iterations."""
    return not isinstance(runner.train_loop, engine.IterBasedTrainLoop)


def validate_what_is_left(runner: Any) -> None:
    """Run the validation that is due where a resumed run begins, unless the checkpoint is of later.

    A checkpoint is written before the validation of its position, so a run that goes on from it
    has not had its result, whether the run before got so far or not.
    """
    loop = runner.train_loop
    done = position = loop.iter
    if counts_epochs(runner):
        done, position = loop.epoch * len(runner.train_dataloader), loop.epoch
    if runner.val_loop is None or not position or loop.iter != done:
        return
    loop._decide_current_val_interval()
    end = loop.max_epochs if counts_epochs(runner) else loop.max_iters
    due = position >= loop.val_begin and (position % loop.val_interval == 0 or position == end)
    if due and runner.message_hub.runtime_info.get(VALIDATED_AT) != loop.iter:
        runner.logger.info(f'validating first what was trained before, at iteration {loop.iter}')
        runner.val_loop.run()
