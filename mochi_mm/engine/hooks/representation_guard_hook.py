"""A guard over a representation that is trained further: it says when it gets worse."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from mmengine.dist import broadcast_object_list
from mmengine.hooks import Hook
from torch import Tensor

from mochi_mm.argument_kinds import is_integer
from mochi_mm.distributed.agreement import any_rank
from mochi_mm.engine.built_loader import built_loader
from mochi_mm.engine.curves import add_to_curves
from mochi_mm.engine.epochs_counted import check_epochs_counted
from mochi_mm.engine.guard_limits import GuardLimits, better
from mochi_mm.engine.hooks.checkpoint_hook import CheckpointHook
from mochi_mm.engine.validated_weights import validated_weights
from mochi_mm.evaluation.features import extract_features
from mochi_mm.evaluation.knn import check_knn_settings
from mochi_mm.evaluation.knn_evaluate import check_knn_data, knn_accuracy
from mochi_mm.evaluation.measures import (
    effective_rank,
    nearest_neighbors,
    neighbor_stability,
    singular_values,
    uniformity,
)
from mochi_mm.randomness.random_state import preserved_random_state
from mochi_mm.registry import HOOKS
from mochi_mm.runs.measured_figures import offer_figures, rule_for
from mochi_mm.utils.checks import check_choice

#: Key of the message hub: what the representation was, and what became of it.
STATE = 'representation_guard'
#: What the process ends with where the guard has stopped the run.
EXIT_GUARDED = 3


@HOOKS.register_module()
class RepresentationGuardHook(Hook):
    """Measure features before the first step and every ``interval`` epochs; warn where they worsen.

    With labels (``bank_dataloader``) it is the kNN accuracy that is judged, without them effective
    rank, uniformity and the stability of neighbors: the share of the k nearest neighbors of each
    image, by the cosine of pooled features, that are the same as at the start. A measure that has
    lost more than its limit is a warning in the log at once, with the numbers and what to do; so is
    a network that has died, whose features are all 0, and whose rank is stated as 0. The best
    weights are kept by the CheckpointHook, from the first that exceed the start. Logged as
    ``guard/knn``, ``guard/rank``, ``guard/uniformity``, ``guard/stability``. Training goes on as if
    the hook were not there. What it compares with is saved with the run.

    Args:
        dataloader: Images that are looked at, one view each, as a config or a data loader.
        bank_dataloader: Labeled images that vote in the kNN; None for no labels.
        interval: Epochs between measurements.
        limits: Loss that is allowed of each measure that is judged, see
            :data:`mochi_mm.engine.guard_limits.DEFAULTS`; None for these.
        against: ``start`` or ``best``: what is compared with, the best of each measure so far.
        stop: Save and end the process, with exit code 3, at the first measurement that is too bad.
        k: Neighbors of the kNN and of the stability.
        temperature: Temperature of the kNN's votes.
        num_images: Images, evenly spaced over the data set, for the measures without labels.

    Raises:
        ValueError: No data, unusable settings; before training starts: an interval beyond the run,
            a loop that counts iterations, k not below the number of images, images without labels
            where kNN needs them, a network whose features are all 0.
    """

    priority = 'NORMAL'

    def __init__(
        self,
        dataloader: Any = None,
        bank_dataloader: Any = None,
        interval: int = 1,
        limits: Mapping[str, float] | None = None,
        against: str = 'start',
        stop: bool = False,
        k: int = 20,
        temperature: float = 0.07,
        num_images: int = 2048,
    ) -> None:
        if dataloader is None:
            raise ValueError(
                'RepresentationGuardHook has no dataloader, so there is nothing to measure; '
                "expected one without augmentation, such as dataloader='$query_dataloader'."
            )
        check_knn_settings((k,), temperature)
        if not is_integer(interval) or interval < 1:
            raise ValueError(f'interval is {interval!r}; expected a number of epochs >= 1.')
        if num_images <= k:
            raise ValueError(f'num_images is {num_images} and k is {k}; expected more images.')
        self.limits = GuardLimits.of(limits, bank_dataloader is not None)
        self.against = check_choice('against', against, ('start', 'best'))
        self.dataloader, self.bank_dataloader = dataloader, bank_dataloader
        self.interval, self.stop, self.num_images = interval, stop, num_images
        self.k, self.temperature = k, temperature
        self._state: dict[str, Any] = {}
        self._leaving = False

    def before_train(self, runner: Any) -> None:
        """Check the data and measure the start; in a resumed run, take up what was measured."""
        self._leaving = False
        self._check_length(runner)
        with preserved_random_state():
            self.dataloader = built_loader(runner, self.dataloader)
            self.bank_dataloader = built_loader(runner, self.bank_dataloader)
        if self.bank_dataloader is not None:
            check_knn_data(self.bank_dataloader, self.dataloader, self.k)
        if len(self.dataloader.dataset) <= self.k:
            raise ValueError(
                f'the guard looks at {len(self.dataloader.dataset)} images and k is {self.k}; '
                'expected more images than neighbors.'
            )
        self._keep_best(runner)
        saved = runner.message_hub.runtime_info.get(STATE) if runner.iter else None
        if saved is None:
            self._begin(runner)
        else:
            self._take_up(runner, saved)

    def after_train_epoch(self, runner: Any) -> None:
        """Measure every ``interval`` epochs."""
        if self.every_n_epochs(runner, self.interval) or self.is_last_train_epoch(runner):
            self._look(runner, runner.epoch + 1)

    def before_train_epoch(self, runner: Any) -> None:
        """Leave, where the last look says so: behind schedules, validation and the save.

        Raises:
            SystemExit: With code 3.
        """
        if not self._leaving:
            return
        saver = next(hook for hook in runner.hooks if isinstance(hook, CheckpointHook))
        saver.save(runner, runner.epoch, runner.iter, f'epoch_{runner.epoch}')
        any_rank(True)  # behind this all have saved: launchers end the others as soon as one leaves
        runner.logger.info(
            f'the guard stops the run: saved behind epoch {runner.epoch}, leaving with code '
            f'{EXIT_GUARDED}; --resume goes on all the same'
        )
        raise SystemExit(EXIT_GUARDED)

    def _check_length(self, runner: Any) -> None:
        check_epochs_counted(runner, self)
        if self.interval > runner.max_epochs:
            raise ValueError(
                f'interval of the guard is {self.interval} epochs and the run has '
                f'{runner.max_epochs}, so it would see nothing before the end; expected at most '
                'half of them.'
            )
        if self.stop and not any(isinstance(hook, CheckpointHook) for hook in runner.hooks):
            raise ValueError(
                'stop=True of the guard saves through CheckpointHook, and the run has none; keep '
                'default_hooks.checkpoint.'
            )

    def _keep_best(self, runner: Any) -> None:
        """Have the best by the first measure kept, unless the config keeps another best."""
        figure = f'guard/{next(iter(self.limits.allowed))}'
        for hook in runner.hooks:
            if isinstance(hook, CheckpointHook) and hook.save_best is None:
                hook.save_best, hook.rule = figure, rule_for(figure, None)
                runner.logger.info(f'the guard keeps the best weights by {figure}')

    def _begin(self, runner: Any) -> None:
        figures, neighbors = self._measure(runner)
        if not figures['rank']:
            raise ValueError(
                'every feature of the guarded images is 0 before the first step: the network is '
                'dead, and nothing can get worse. Start from other weights (start_from, load_from '
                'or init_cfg of the backbone), or leave the guard out.'
            )
        start = dict(figures, stability=1.0)
        self._state = dict(
            start=start,
            best=dict(start),
            neighbors=neighbors,
            images=len(self.dataloader.dataset),
            best_epoch=runner.epoch,
            stopped=-1,
        )
        runner.message_hub.update_info(STATE, self._state)
        self._log(runner, start, runner.epoch, start=True)

    def _take_up(self, runner: Any, saved: Mapping[str, Any]) -> None:
        images = len(self.dataloader.dataset)
        rows = min(images, self.num_images)
        if saved['images'] != images or tuple(saved['neighbors'].shape) != (rows, self.k):
            raise ValueError(
                f'the guard of the resumed run looked at {saved["images"]} images, neighbors '
                f'{tuple(saved["neighbors"].shape)}; now there are {images} images, neighbors '
                f'{(rows, self.k)}. Its start can only be compared on the same images: keep its '
                'data, k and num_images, or leave the hook out.'
            )
        lacking = [name for name in self.limits.allowed if name not in saved['start']]
        if lacking:
            raise ValueError(
                f'the guard of the resumed run did not measure {lacking[0]} at its start, so there '
                'is nothing to compare with; keep its bank_dataloader and limits.'
            )
        self._state = {**saved, 'start': dict(saved['start']), 'best': dict(saved['best'])}
        if saved['stopped'] >= 0:
            runner.logger.log(
                logging.WARNING,
                f'the guard stopped this run after epoch {saved["stopped"]}; it goes on since a '
                'resume was asked for, and stops again where the next measurement is as bad. '
                'Lower the rate (--allow-changed settings), or go on from the best instead',
            )
            self._state['stopped'] = -1
        runner.message_hub.update_info(STATE, self._state)

    def _look(self, runner: Any, epoch: int) -> None:
        figures, neighbors = self._measure(runner)
        figures['stability'] = neighbor_stability(self._state['neighbors'], neighbors)
        figures = _of_first_rank(figures)
        broken = self.limits.broken(figures, self._state[self.against])
        if not figures['rank']:
            broken = ['every feature is 0, the network is dead', *broken]
        judge = next(iter(self.limits.allowed))
        best = self._state['best']
        if better(judge, figures[judge], best[judge]) != best[judge]:
            self._state['best_epoch'] = epoch
        self._state['best'] = {n: better(n, figures[n], best[n]) for n in best}
        if broken and self.stop and epoch < runner.max_epochs:
            self._leaving, self._state['stopped'] = True, epoch
        runner.message_hub.update_info(STATE, self._state)
        self._log(runner, figures, epoch)
        if broken:
            runner.logger.log(logging.WARNING, self._warning(runner, epoch, broken))

    def _warning(self, runner: Any, epoch: int, broken: list[str]) -> str:
        rate = max(group['lr'] for group in runner.optim_wrapper.param_groups)
        judge, at = next(iter(self.limits.allowed)), self._state['best_epoch']
        kept = 'the start' if at == 0 else f'epoch {at}'
        than = dict(start='at the start', best='at its best')[self.against]
        return (
            f'the representation is worse than {than} after {epoch} epochs: {"; ".join(broken)}. '
            f'Best by {judge}: {kept}. The largest '
            f'learning rate is {rate:g}: lower it, give early layers less of it '
            "(optim_wrapper.constructor='LayerWiseRates'), or stop here"
        )

    def _measure(self, runner: Any) -> tuple[dict[str, float], Tensor]:
        """Return the measures of the present weights, and the neighbors of each image."""
        figures: dict[str, float] = {}
        with preserved_random_state(), validated_weights(runner):
            labeled = self.bank_dataloader is not None
            features, labels = extract_features(
                runner.model, self.dataloader, require_labels=labeled
            )
            if labeled:
                bank = extract_features(runner.model, self.bank_dataloader, require_labels=True)
                found = knn_accuracy(features, labels, *bank, (self.k,), self.temperature)
                figures['knn'] = found[f'knn/top1_k{self.k}']
        count = min(len(features), self.num_images)
        taken = np.linspace(0, len(features) - 1, count).round().astype(int)
        rows = features[torch.from_numpy(taken)]
        dead = not bool(rows.any())
        figures['rank'] = 0.0 if dead else effective_rank(singular_values(rows))
        figures['uniformity'] = uniformity(rows)
        return figures, nearest_neighbors(rows, self.k)

    def _log(
        self, runner: Any, figures: Mapping[str, float], epoch: int, start: bool = False
    ) -> None:
        named = {f'guard/{name}': value for name, value in figures.items()}
        runner.message_hub.update_scalars(named)
        offer_figures(runner, named, start)
        text = '  '.join(f'{name}: {value:.4g}' for name, value in figures.items())
        runner.logger.info(f'guard {"at the start" if start else f"after {epoch} epochs"}:  {text}')
        add_to_curves(runner, named, epoch)


def _of_first_rank(figures: dict[str, float]) -> dict[str, float]:
    """Return the figures of the first rank, so that all ranks decide alike."""
    found = [figures]
    broadcast_object_list(found)
    return found[0]
