"""Effective batch and learning rate, logged and checked with the memory at the start."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from mmengine.dataset import InfiniteSampler
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import BatchSampler, Subset

from mochi_mm.datasets.facts import facts_of
from mochi_mm.datasets.keyed_sampler import KeyedSampler
from mochi_mm.datasets.same_images import same_images
from mochi_mm.distributed.rows import world_size
from mochi_mm.engine.check_hooks import check_hooks
from mochi_mm.engine.check_labeled_batches import check_labeled_batches
from mochi_mm.engine.data_facts import data_facts
from mochi_mm.engine.label_data import number_of
from mochi_mm.engine.planned_rates import beyond_the_end, describe_rates, planned_rates
from mochi_mm.engine.run_state import sampler_of
from mochi_mm.models.algorithms import BaseAlgorithm
from mochi_mm.models.algorithms.named_heads import classifier_of
from mochi_mm.models.memories import InstanceBank
from mochi_mm.models.view_editors import BaseViewEditor
from mochi_mm.models.view_editors.base_view_editor import views_behind
from mochi_mm.registry import HOOKS
from mochi_mm.structures import DataFacts
from mochi_mm.structures.protocols import TakesBatch, TakesData, TakesOrigin
from mochi_mm.utils.class_names import check_same_classes
from mochi_mm.utils.unwrap import unwrap


@HOOKS.register_module()
class RunCheckHook(Hook):
    """Log what the run will really do before it does it, and tell the model about the data.

    States the effective batch, and the first and last learning rate and when it falls; warns when
    the run ends before its schedules do. Warns when the effective batch is not the config's
    ``auto_scale_lr.base_batch_size`` while the learning rate is not scaled, and when own keys are
    not masked though the memory is longer than the data set, or an instance bank. In a loop that
    counts iterations it warns when gradients are accumulated, or images per iteration are not what
    the schedule was made for. Warns as well when samples would not be keyed, so that each epoch
    repeated the augmentation of the first. A classifier (a probe, fine-tuning, prototypes) is
    validated on the classes that it is trained on, or not at all; on the same images with a
    warning. A part of the model that waits for a hook (an averaged encoder, mixers) has it.

    Args:
        memory: Compare the memory and the classes of the model with the data set. ``--smoke`` does
            not: eight generated images are fewer than any memory holds, and not of all classes;
            what counts the images of each class is told that there is one.
    """

    priority = 'LOW'

    def __init__(self, memory: bool = True) -> None:
        self.memory = memory

    def before_train(self, runner: Any) -> None:
        """Log and check once, after weights are loaded and before the first iteration.

        Raises:
            ValueError: The data set does not fill a single batch, or has more images than a bank
                of one row per image, or would give the ranks different numbers of batches; the last
                batch of an epoch is one image, which batch norm cannot take; a classifier's
                validation images have other classes; a hook that the model waits for is missing.
        """
        self._check_ranks(runner.train_dataloader)
        if isinstance(unwrap(runner.model), BaseAlgorithm):
            check_hooks(unwrap(runner.model), runner.hooks)
            for editor in unwrap(runner.model).view_editors:
                if isinstance(editor, BaseViewEditor):
                    editor.check_model(unwrap(runner.model))
        self._check_classes(runner)
        batch = runner.train_dataloader.batch_size
        if batch is None:
            batch = runner.train_dataloader.batch_sampler.batch_size
        if len(runner.train_dataloader) == 0:
            raise ValueError(
                f'the data set has {len(runner.train_dataloader.dataset)} images, fewer than one '
                f'batch of {batch}, so nothing would be trained; lower batch_size of the '
                'train_dataloader.'
            )
        accumulated = getattr(runner.optim_wrapper, '_accumulative_counts', 1)
        effective = batch * world_size() * accumulated
        groups = runner.optim_wrapper.param_groups
        base = sorted({group.get('initial_lr', group['lr']) for group in groups})
        first = sorted({group['lr'] for group in groups})
        runner.logger.info(
            f'effective batch: {batch} images x {world_size()} ranks x {accumulated} accumulated = '
            f'{effective}; learning rate: {_listed(base)}, at the first step {_listed(first)}'
        )
        self._check_last_batch(runner)
        self._state_rates(runner, max(base))
        self._check_batch(runner, effective)
        self._check_schedule(runner, batch * world_size(), accumulated)
        self._set_data(runner)
        self._bind(runner)
        self._check_memory(runner)
        self._check_keys(runner)

    @staticmethod
    def _check_ranks(loader: Any) -> None:
        sampler = sampler_of(loader)
        if not isinstance(sampler, KeyedSampler) or sampler.round_up or sampler.infinite:
            return
        ranks, samples = sampler.world_size, samples_by_rank(sampler)
        batch, drop = loader.batch_sampler.batch_size, loader.batch_sampler.drop_last
        batches = [n // batch if drop else -(-n // batch) for n in samples]
        if min(batches) != max(batches):
            raise ValueError(
                f'round_up=False of the KeyedSampler gives {max(batches)} batches per epoch to '
                f'some of the {ranks} ranks and {min(batches)} to others, who would wait for each '
                'other until the timeout. Training on several ranks needs '
                'train_dataloader.sampler.round_up=True.'
            )

    @staticmethod
    def _check_last_batch(runner: Any) -> None:
        """Raise where a batch of one image meets a batch norm that trains, or a part wants more."""
        loader, model = runner.train_dataloader, unwrap(runner.model)
        # Detectors train on one image as a rule, and group their batches in ways of their own.
        if type(loader.batch_sampler) is not BatchSampler or not hasattr(model, 'num_views'):
            return
        size, last = loader.batch_sampler.batch_size, smallest_batch(loader)
        if last == 1 and trains_batch_norm(model):
            raise ValueError(
                f'{"the last batch of each epoch" if size > 1 else "a batch"} is one image (of '
                f'{len(loader.dataset)}, train_dataloader.batch_size={size}), which batch norm '
                'cannot normalize: torch would stop there, or take the statistics of a single '
                'image. Set train_dataloader.drop_last=True, or another batch_size.'
            )
        views = views_behind(getattr(model, 'view_editors', ()), model.num_views)
        for part in model.modules():
            if isinstance(part, TakesBatch):
                try:
                    part.check_batch(last * world_size(), views)
                except ValueError as error:
                    raise ValueError(
                        f'the smallest batch of an epoch has {last} images (of '
                        f'{len(loader.dataset)}, train_dataloader.batch_size={size}): {error} '
                        'train_dataloader.drop_last=True leaves out a smaller last batch.'
                    ) from None

    @staticmethod
    def _check_classes(runner: Any) -> None:
        model = unwrap(runner.model)
        if runner.val_loop is None or not isinstance(model, BaseAlgorithm):
            return
        if classifier_of(model) is not None:
            train, val = runner.train_dataloader.dataset, runner.val_dataloader.dataset
            check_same_classes(train, val, 'training', 'validation')
            if same_images(train, val):
                runner.logger.log(
                    logging.WARNING,
                    'the validation images are the training images: the accuracy says how well '
                    'these are learned by heart. Set split (or data_root) of '
                    'val_dataloader.dataset to others',
                )

    @staticmethod
    def _state_rates(runner: Any, rate: float) -> None:
        """Log first and last rate and when it falls; warn where the run ends before that."""
        schedules = runner.cfg.get('param_scheduler') or []
        schedules = [schedules] if isinstance(schedules, Mapping) else schedules
        if not all(isinstance(schedule, Mapping) for schedule in schedules):
            return
        by_iteration = isinstance(runner.train_loop, IterBasedTrainLoop)
        epochs = 0 if by_iteration else int(runner.max_epochs)
        iterations = int(runner.max_iters)
        length = iterations if by_iteration else len(runner.train_dataloader)
        rates = planned_rates(schedules, rate, epochs, length)
        runner.logger.info(describe_rates(rates, epochs, iterations))
        late = beyond_the_end(schedules, epochs, iterations)
        if late:
            runner.logger.log(
                logging.WARNING,
                f'the run ends at {f"epoch {epochs}" if epochs else f"iteration {iterations}"}, '
                f'before {", ".join(late)}: the rate is {rates[-1]:.3g} when it ends. Set these '
                "too, or, in a config, '$train_cfg.max_epochs' in their place",
            )

    @staticmethod
    def _check_batch(runner: Any, effective: int) -> None:
        scaling = runner.cfg.get('auto_scale_lr') or {}
        base = scaling.get('base_batch_size')
        if base and base != effective and not scaling.get('enable'):
            runner.logger.log(
                logging.WARNING,
                f'the effective batch is {effective} but the learning rate of this config is meant '
                f'for {base}: adjust batch_size, accumulative_counts or the learning rate, or '
                'scale it with auto_scale_lr.enable=True (a schedule in iterations changes with '
                'each of these but the learning rate)',
            )

    @staticmethod
    def _check_schedule(runner: Any, images: int, accumulated: int) -> None:
        """Warn where a schedule in iterations is not one of as many steps, or of as many images."""
        if not isinstance(runner.train_loop, IterBasedTrainLoop):
            return
        iterations = runner.train_loop.max_iters
        parts = 'train_cfg.max_iters, val_interval, the milestones and the end of the warm-up'
        scaling = runner.cfg.get('auto_scale_lr') or {}
        base = scaling.get('base_batch_size')
        if accumulated > 1:
            warning = (
                f'accumulative_counts={accumulated}: {iterations} iterations are '
                f'{-(-iterations // accumulated)} optimizer steps. Unless the schedule of this '
                f'config says so already, multiply {parts} by {accumulated}'
            )
            if scaling.get('enable'):
                warning += (
                    '. auto_scale_lr.enable=True scales the learning rate by the images of one '
                    'iteration, as if nothing were accumulated; expected one of the two'
                )
        elif base and base != images:
            warning = (
                f'an iteration has {images} images but the schedule of this config is meant for '
                f'{base}. Unless it says so already, multiply {parts} by {base / images:g}'
            )
        else:
            return
        runner.logger.log(logging.WARNING, warning)

    def _set_data(self, runner: Any) -> None:
        """Give the facts of the training set to every module that takes them."""
        takers = [module for module in runner.model.modules() if isinstance(module, TakesData)]
        if takers:
            facts = facts_of(runner.train_dataloader.dataset)
            for module in takers:
                module.set_data(facts if self.memory else _one_of_each(facts, module))
                if self.memory and getattr(module, 'needs_labeled', False):
                    loader, who = runner.train_dataloader, type(module).__name__
                    smallest = smallest_batch(loader) * world_size()
                    check_labeled_batches(facts.labeled, sampler_of(loader), smallest, who)

    def _bind(self, runner: Any) -> None:
        """Tell the rows of images which data set they are of, so that those of another are seen."""
        bound = [module for module in runner.model.modules() if isinstance(module, TakesOrigin)]
        number = number_of(data_facts(runner)) if bound and self.memory else 0
        for module in bound if number else ():
            module.bind(number)

    def _check_memory(self, runner: Any) -> None:
        model = unwrap(runner.model)
        heads = {'model.head': getattr(model, 'head', None)}
        for name, head in dict(getattr(model, 'heads', {})).items():
            heads[f'model.heads.{name}'] = head
        for where, head in heads.items():
            self._check_memory_of(runner, where, head)

    def _check_memory_of(self, runner: Any, where: str, head: Any) -> None:
        memory = getattr(head, 'memory', None)
        length = getattr(memory, 'length', 0)
        dataset = runner.train_dataloader.dataset
        samples = getattr(dataset, 'num_images', len(dataset))
        if not self.memory or getattr(head, 'mask_own_keys', False):
            return
        if isinstance(memory, InstanceBank):
            runner.logger.log(
                logging.WARNING,
                f'the memory is an {type(memory).__name__}, which keeps a row of each of the '
                f'{samples} images, so from the second epoch on every query meets the older row of '
                'its own image among the others, as a negative unless the head lets it pull: set '
                f'{where}.mask_own_keys=True',
            )
        elif length > samples:
            runner.logger.log(
                logging.WARNING,
                f'the memory holds {length} keys but the data set only {samples} images, so every '
                'query meets older keys of its own image, as negatives unless the head lets them '
                f'pull: shorten the memory or set {where}.mask_own_keys=True',
            )

    @staticmethod
    def _check_keys(runner: Any) -> None:
        loader = runner.train_dataloader
        sampler = sampler_of(loader)
        if not isinstance(sampler, KeyedSampler):
            reason = f'the sampler is {type(sampler).__name__}; expected KeyedSampler'
        elif isinstance(loader.dataset, Subset):
            reason = 'torch.utils.data.Subset drops the keys; choose samples inside the data set'
        else:
            _check_repeats(runner, sampler.repeats, loader.batch_size)
            return
        runner.logger.log(
            logging.WARNING,
            f'samples are not keyed by the epoch, so augmentation repeats every epoch: {reason}',
        )


def _check_repeats(runner: Any, repeats: int, batch_size: int | None) -> None:
    """State what repeats make of a batch; refuse a batch that parts those of an image."""
    if repeats == 1:
        return
    if batch_size is None or batch_size % repeats:
        raise ValueError(
            f'train_dataloader.batch_size={batch_size} and sampler.repeats={repeats}: expected a '
            'batch size that repeats divide, so that the samples of an image stay together.'
        )
    runner.logger.info(
        f'a batch of {batch_size} is {batch_size // repeats} images, each {repeats} times, from '
        'one decoding; a head that compares within the batch takes the others of an image for '
        'negatives'
    )


def _one_of_each(facts: DataFacts, module: TakesData) -> DataFacts:
    """Return the facts as if there were one labeled image of each class of the module."""
    classes = getattr(module, 'num_classes', len(facts.class_counts))
    ones = torch.ones(classes, dtype=torch.int64)
    ones[getattr(module, 'num_known', classes) :] = 0  # new classes have no label
    return replace(facts, classes=(), class_counts=ones)


def samples_by_rank(sampler: Any) -> list[int]:
    """Return the number of samples per rank in a pass; this rank's where no other is known."""
    if isinstance(sampler, KeyedSampler) and not sampler.round_up:
        ranks = sampler.world_size
        return [len(range(r, sampler.images, ranks)) * sampler.repeats for r in range(ranks)]
    return [len(sampler)]


def smallest_batch(loader: Any) -> int:
    """Return the images per rank of the smallest batch of an epoch."""
    sampler, batches = sampler_of(loader), loader.batch_sampler
    size: int = batches.batch_size
    endless = getattr(sampler, 'infinite', False) or isinstance(sampler, InfiniteSampler)
    if batches.drop_last or endless:
        return size
    return min(count % size or size for count in samples_by_rank(sampler))


def trains_batch_norm(model: nn.Module) -> bool:
    """Return whether a batch norm takes the statistics of this rank's batch in training.

    Frozen ones do not, nor synchronized ones of several ranks.
    """
    was = model.training
    model.train()
    found = any(
        isinstance(module, _BatchNorm)
        and module.training
        and not (isinstance(module, nn.SyncBatchNorm) and world_size() > 1)
        for module in model.modules()
    )
    model.train(was)
    return found


def _listed(rates: list[float]) -> str:
    return ', '.join(f'{rate:g}' for rate in rates)
