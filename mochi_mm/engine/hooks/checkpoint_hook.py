"""Checkpoints that no kill, full disk or diverged loss can spoil."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.dist import broadcast_object_list
from mmengine.hooks import EMAHook, Hook
from torch import nn

from mochi_mm.distributed.rows import rank
from mochi_mm.engine.data_facts import data_facts
from mochi_mm.engine.run_state import has_stepped
from mochi_mm.engine.save_run import save_run
from mochi_mm.engine.validation_left import VALIDATED_AT, counts_epochs, validate_what_is_left
from mochi_mm.files.atomic_file import sweep
from mochi_mm.files.checkpoint_folder import saved_in
from mochi_mm.files.checkpoint_writer import CheckpointWriter
from mochi_mm.files.shown import shown
from mochi_mm.models.algorithms.base_algorithm import BaseAlgorithm
from mochi_mm.registry import HOOKS
from mochi_mm.runs.measured_figures import measuring_hook, rule_for
from mochi_mm.runs.start_facts import describe_start, differences
from mochi_mm.utils.unwrap import unwrap

#: Key of the message hub: what each start of the run was made with.
STARTS = 'starts'
#: Key of the message hub: metric, rule and number of images that ``best_score`` is of.
BEST_OF = 'best_of'
_BETTER = dict(greater=lambda new, old: new > old, less=lambda new, old: new < old)


@HOOKS.register_module()
class CheckpointHook(Hook):
    """Save the whole run, in place of MMEngine's hook of that name in this scope.

    A file is written beside its target, synced, read back and renamed; older ones go only after
    that. A disk that cannot take it costs a warning and a new attempt later, and training goes on.
    While gradients accumulate, saving waits for the optimizer's step. Weights that are not finite
    are never saved. Beside the newest and the best checkpoint lies its backbone alone,
    ``backbone_<name>.safetensors``, where the run trains one.

    Args:
        interval: Epochs, or iterations, between checkpoints.
        by_epoch: Whether to count epochs, not iterations; None follows the loop.
        max_keep_ckpts: Number of newest ones to keep; -1 keeps all. Best ones are not counted.
        save_last: Also save at the end of training.
        save_best: Name of a validation metric, or of a figure that a hook measures, such as
            ``knn/top1`` or ``analysis/rank/backbone``; the run at its best value is kept as
            ``best_<metric>_<position>.pth``. It can be resumed as well, unless gradients were
            accumulating.
        rule: ``greater`` or ``less``, what is better; None for what is known of the figure
            (:data:`mochi_mm.runs.measured_figures.RULES`), ``greater`` for other metrics.
        save_begin: First epoch (iteration) to save at.
        retry_iters: Iterations after which a failed save is tried again.
        save_backbone: Write the backbone alone as well.

    Raises:
        ValueError: Settings out of range, a rule against what is known; when training starts:
            ``by_epoch=True`` in an iteration loop, which has no epochs, or ``save_best`` without
            what measures it.
        FloatingPointError: When saving: a weight or statistic is not finite.
        OSError: At the end of training or at preemption only: the disk does not take the last one.
    """

    priority = 'VERY_LOW'

    def __init__(
        self,
        interval: int = 1,
        by_epoch: bool | None = None,
        max_keep_ckpts: int = -1,
        save_last: bool = True,
        save_best: str | None = None,
        rule: str | None = None,
        save_begin: int = 0,
        retry_iters: int = 100,
        save_backbone: bool = True,
    ) -> None:
        if interval < 1 or retry_iters < 1 or max_keep_ckpts == 0 or rule not in (None, *_BETTER):
            raise ValueError(
                f'CheckpointHook got interval={interval}, max_keep_ckpts={max_keep_ckpts}, '
                f'retry_iters={retry_iters}, rule={rule!r}; expected interval and retry_iters >= '
                "1, max_keep_ckpts >= 1 or -1 for all, rule 'greater' or 'less'."
            )
        self.interval, self.by_epoch, self.save_begin = interval, by_epoch, save_begin
        self.max_keep_ckpts, self.retry_iters = max_keep_ckpts, retry_iters
        self.save_last, self.save_best, self.save_backbone = save_last, save_best, save_backbone
        if rule is not None and save_best is None:
            raise ValueError(
                f'CheckpointHook rule is {rule!r} and save_best is None, so that there is nothing '
                'to be better at; set save_best, or leave rule out.'
            )
        self.rule = 'greater' if save_best is None else rule_for(save_best, rule)
        self._offered: float | None = None
        self._due_at: int | None = None
        self._training = False

    def before_train(self, runner: Any) -> None:
        """Check the work dir, note what the run is made with, validate what is left."""
        self._due_at, self._training = None, True
        self._check_loop(runner)
        self._check_averages(runner)
        data_facts(runner)  # of the data that is trained on, whenever it is saved first
        if not rank():
            self._clean_and_warn(runner)
            _note_start(runner)
        validate_what_is_left(runner)

    def _check_loop(self, runner: Any) -> None:
        if self.by_epoch and not counts_epochs(runner):
            raise ValueError(
                'CheckpointHook got by_epoch=True in an iteration loop, where no epoch ends and '
                'nothing would be saved; set default_hooks.checkpoint.by_epoch=False, with '
                'interval in iterations.'
            )
        if needed := measuring_hook(self.save_best):
            if needed not in {type(hook).__name__ for hook in runner.hooks}:
                raise ValueError(
                    f'save_best={self.save_best!r} is measured by {needed}, and the run has none; '
                    'add it to custom_hooks, or leave save_best out.'
                )
        elif self.save_best is not None and runner.val_loop is None:
            raise ValueError(
                f'save_best={self.save_best!r} needs a validation, and the run has none; set '
                'val_dataloader, val_evaluator and val_cfg, or leave save_best out.'
            )

    @staticmethod
    def _check_averages(runner: Any) -> None:
        """Refuse an average that would move, or change places, only behind the save."""
        order = list(runner.hooks)
        saves = next((i for i, h in enumerate(order) if isinstance(h, CheckpointHook)), len(order))
        if any(isinstance(hook, EMAHook) for hook in order[saves:]):
            raise ValueError(
                'EMAHook stands behind CheckpointHook, so the file would hold the average of the '
                'step before, and a best one not what was validated; give it a priority above '
                "'VERY_LOW', such as its own 'NORMAL'."
            )

    def _clean_and_warn(self, runner: Any) -> None:
        try:
            left = [*sweep(runner.work_dir), *sweep(Path(runner.work_dir) / 'analysis')]
        except OSError as error:
            left = []
            runner.logger.log(logging.WARNING, f'unfinished files stay: {error}')
        if left:
            runner.logger.info(f'removed {len(left)} unfinished files of an earlier run')
        earlier = saved_in(runner.work_dir)
        if earlier and runner.iter == 0:
            runner.logger.log(
                logging.WARNING,
                f'{runner.work_dir} holds {len(earlier)} checkpoints of an earlier run, and this '
                'run starts from the beginning and will replace them; stop it and pass --resume '
                'to continue them, or set another work dir',
            )

    def after_train_epoch(self, runner: Any) -> None:
        """Save at the end of an epoch; first the best, so that each file knows of it."""
        self._keep_offered(runner, runner.epoch + 1)
        last = self.save_last and self.is_last_train_epoch(runner)
        if self._by_epoch(runner) and (
            self.every_n_epochs(runner, self.interval, self.save_begin) or last
        ):
            self._save_or_wait(runner, runner.epoch + 1, runner.iter, f'epoch_{runner.epoch + 1}')

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Save after an iteration, or try again what could not be saved before."""
        last = self.save_last and self.is_last_train_iter(runner)
        due = not self._by_epoch(runner) and (
            self.every_n_train_iters(runner, self.interval, self.save_begin) or last
        )
        if due or (self._due_at is not None and runner.iter + 1 >= self._due_at):
            done = runner.iter + 1
            self._save_or_wait(runner, runner.epoch, done, f'iter_{done}')

    def after_train(self, runner: Any) -> None:
        """Make the last attempt at a save that failed."""
        self._keep_offered(runner, runner.epoch)
        self._training = False
        if self._due_at is not None:
            self.save(runner, runner.epoch, runner.iter, f'iter_{runner.iter}')

    def after_val_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        """Keep the run if the metric is the best so far."""
        if not self._training:
            return
        runner.message_hub.update_info(VALIDATED_AT, runner.iter)
        if self.save_best is None or measuring_hook(self.save_best):
            return
        if self.save_best not in (metrics or {}):
            raise KeyError(
                f'save_best={self.save_best!r} is not among the validation metrics; they are '
                f'{", ".join(metrics or {}) or "none"}.'
            )
        self._keep_best(runner, float((metrics or {})[self.save_best]), runner.epoch)

    def offer(self, runner: Any, figures: Mapping[str, float], start: bool = False) -> None:
        """Note a figure that a hook has measured of the weights as they are.

        What is better than all before is saved when the epoch ends, behind the schedules.

        Args:
            runner: The runner.
            figures: By the names of the log; those of the first rank hold.
            start: They are of the weights that the run begins with: nothing is saved, and what is
                kept later has to be better.

        Raises:
            KeyError: The hook that measures ``save_best`` has not measured it.
        """
        kind = measuring_hook(self.save_best)
        if kind is None or kind not in {measuring_hook(name) for name in figures}:
            return
        if self.save_best not in figures:
            raise KeyError(
                f'save_best={self.save_best!r} is not among the figures that {kind} measured; they '
                f'are {", ".join(figures)}.'
            )
        value = [float(figures[str(self.save_best)])]
        broadcast_object_list(value)
        if not start:
            self._offered = value[0]
        elif math.isfinite(value[0]):
            runner.message_hub.update_info('best_score', value[0])
            runner.message_hub.update_info(BEST_OF, self._measure(runner))

    def _keep_offered(self, runner: Any, epoch: int) -> None:
        value, self._offered = self._offered, None
        if value is not None:
            self._keep_best(runner, value, epoch)

    def _keep_best(self, runner: Any, value: float, epoch: int) -> None:
        best = self._best_so_far(runner)
        if not math.isfinite(value) or (best is not None and not _BETTER[self.rule](value, best)):
            return
        runner.message_hub.update_info('best_score', value)
        runner.message_hub.update_info(BEST_OF, self._measure(runner))
        prefix = f'best_{str(self.save_best).replace("/", "_")}_'
        at = f'epoch_{epoch}' if self._by_epoch(runner) else f'iter_{runner.iter}'
        if not self._attempt(runner, epoch, runner.iter, prefix + at):
            runner.message_hub.update_info('best_score', best)  # the file that is kept is of that

    def _measure(self, runner: Any) -> dict[str, Any]:
        """Return what a best value is a value of."""
        images = 0 if runner.val_loop is None else len(runner.val_dataloader.dataset)
        return dict(metric=self.save_best, rule=self.rule, images=images)

    def _best_so_far(self, runner: Any) -> float | None:
        """Return the best value so far; None where it was measured otherwise before a resume."""
        info = runner.message_hub.runtime_info
        best, known, now = info.get('best_score'), info.get(BEST_OF), self._measure(runner)
        if best is None or known is None or known == now:  # an earlier version kept the value alone
            return best
        runner.logger.log(
            logging.WARNING,
            f'the best value before, {best:g}, is one of {shown(known)}, not of {now}: the search '
            'for the best begins anew, the file that was kept stays',
        )
        return None

    def _by_epoch(self, runner: Any) -> bool:
        return counts_epochs(runner) if self.by_epoch is None else self.by_epoch

    def save(self, runner: Any, epoch: int, iteration: int, name: str) -> Path | None:
        """Save now, on all ranks together; returns the path on rank 0.

        Raises:
            OSError: The disk does not take it.
        """
        path = save_run(runner, self.writer(runner), f'{name}.pth', epoch, iteration)
        self._due_at = None
        return path

    def writer(self, runner: Any, folder: str | Path | None = None) -> CheckpointWriter:
        """Return the writer of a run's checkpoints, by default into its work dir."""
        return CheckpointWriter(
            runner.work_dir if folder is None else folder,
            self.max_keep_ckpts,
            self.save_backbone and trains_backbone(unwrap(runner.model)),
            runner.logger.log,
        )

    def _save_or_wait(self, runner: Any, epoch: int, iteration: int, name: str) -> None:
        if not has_stepped(runner):
            self._due_at = iteration + 1
            return
        self._due_at = None
        if not self._attempt(runner, epoch, iteration, name):
            self._due_at = iteration + self.retry_iters
            runner.logger.log(
                logging.WARNING, f'in {self.retry_iters} iterations it is tried again'
            )

    def _attempt(self, runner: Any, epoch: int, iteration: int, name: str) -> bool:
        """Save; return, on all ranks, whether the disk took it."""
        try:
            self.save(runner, epoch, iteration, name)
        except OSError as error:
            runner.logger.log(
                logging.WARNING,
                f'checkpoint {name} could not be saved: {error}. The earlier checkpoints are '
                'untouched and training goes on. Make room on the disk.',
            )
            return False
        return True


def _note_start(runner: Any) -> None:
    """Keep what each start of the run was made with, and say where it differs from the last."""
    starts = list(runner.message_hub.runtime_info.get(STARTS, []))
    start = dict(describe_start(), iter=runner.iter)
    changed = differences(starts[-1], start) if starts else []
    if changed:
        runner.logger.log(
            logging.WARNING,
            f'the run goes on with other code than it was saved with: {"; ".join(changed)}. Equal '
            'bits are promised for the same code and libraries alone',
        )
    runner.message_hub.update_info(STARTS, [*starts, start])


def trains_backbone(model: nn.Module) -> bool:
    """Return whether a run makes backbone weights of its own: no detector, no frozen probe."""
    return isinstance(model, BaseAlgorithm) and not getattr(model, 'freeze_backbone', False)
