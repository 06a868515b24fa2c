"""Checking that a checkpoint fits a run, and restoring the run from it."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

from mochi_mm.engine.resumed_values import check_resumed
from mochi_mm.engine.run_settings import (
    changes,
    describe_run,
    optimizer_problem,
    schedule_changed,
)
from mochi_mm.engine.run_state import load_rank_buffers, restore_hub, sampler_of
from mochi_mm.engine.schedule import hyperparameters, replay, set_hyperparameters
from mochi_mm.engine.validation_left import counts_epochs
from mochi_mm.files.shown import shown
from mochi_mm.runs.allowances import ALLOWANCES, check_allowances
from mochi_mm.utils.class_names import check_same_names
from mochi_mm.utils.unwrap import unwrap

_PARTS = ('meta', 'state_dict', 'message_hub', 'param_schedulers')


def check_resume(
    runner: Any, content: Mapping[str, Any], source: str, allowed: Sequence[str]
) -> None:
    """Compare a checkpoint with the run that is to continue it.

    Args:
        runner: The runner, built and not yet started.
        content: Content of the checkpoint.
        source: Path of the checkpoint, for messages.
        allowed: Names of :data:`mochi_mm.runs.allowances.ALLOWANCES` that may differ; those are
            logged.

    Raises:
        ValueError: Something else differs; names everything that does and how to allow it.
    """
    check_allowances(allowed)
    _check_whole(runner, source)
    meta = content.get('meta') or {}
    lacking = [name for name in _PARTS if name not in content]
    lacking += [f'meta.{n}' for n in ('epoch', 'iter', 'seed', 'run') if n not in meta]
    if lacking:
        raise ValueError(
            f'{source} cannot be continued: it lacks {", ".join(lacking)}. Expected a checkpoint '
            'of a training run of this project; to start from its weights alone, use load_from '
            'or pretrained instead of resume.'
        )
    if not meta.get('exact', True):
        raise ValueError(
            f'{source} cannot be continued exactly: it was kept for its metric between two steps '
            'of the optimizer, and the gradients accumulated until then are not in it. Resume '
            'from an epoch_*.pth or iter_*.pth, or start from its weights alone with load_from.'
        )
    check_resumed(content, unwrap(runner.model))
    now = describe_run(runner)
    _check_classes(meta['run'], now, source)
    found = changes(meta['run'], now)
    problem = optimizer_problem(runner.optim_wrapper.optimizer, content.get('optimizer'))
    if problem is not None:
        found.setdefault('optimizer', []).append(problem)
    for name in [name for name in found if name in allowed]:
        runner.logger.log(
            logging.WARNING,
            f'resume_allow {name}: {ALLOWANCES[name]} ({"; ".join(found.pop(name))})',
        )
    if found:
        listed = '; '.join(f'[{name}] {text}' for name, texts in found.items() for text in texts)
        raise ValueError(
            f'{source} is of another run: {listed}. Make the config what it was, or allow it: '
            f'--allow-changed {" ".join(sorted(found))} (resume_allow={sorted(found)} in the '
            'config).'
        )


def _check_whole(runner: Any, source: str) -> None:
    """Refuse settings that choose among weights, where a checkpoint was named to go on from."""
    chosen = [n for n in ('load_partial', 'checkpoint_key') if runner.cfg.get(n) is not None]
    if chosen and runner.cfg.get('resume') is True:
        raise ValueError(
            f'{chosen[0]} is {runner.cfg[chosen[0]]!r} and {source} is to be resumed, which takes '
            f'all of it; expected one of the two: leave {chosen[0]} out, or name the file as '
            'load_from without resume.'
        )


def _check_classes(before: Mapping[str, Any], now: Mapping[str, Any], source: str) -> None:
    """Refuse other classes, whatever is allowed: labels lie in memories and heads."""
    saved = before.get('data', {}).get('classes', [])
    try:
        check_same_names(saved, now['data']['classes'], 'saved', 'present')
    except ValueError as error:
        raise ValueError(
            f'{source} cannot be continued on this data: {error} To start from its weights alone, '
            'use load_from or pretrained instead of resume.'
        ) from None


def restore(runner: Any, content: Mapping[str, Any]) -> None:
    """Put optimizer, schedules, curves, buffers and the position back.

    Args:
        runner: A runner that :func:`check_resume` found to fit and that has the weights. An
            optimizer of another kind, or whose state does not fit, starts afresh.
        content: Content of the checkpoint.
    """
    meta, now = content['meta'], describe_run(runner)
    _restore_seed(runner, meta['seed'])
    epoch, iteration = _position(runner, meta, now)
    _check_left(runner, epoch, iteration)
    runner.train_loop._epoch, runner.train_loop._iter = epoch, iteration
    optimizer = runner.optim_wrapper.optimizer
    fresh = hyperparameters(runner.optim_wrapper)
    same_kind = meta['run']['optimizer'] == now['optimizer']
    if same_kind and optimizer_problem(optimizer, content.get('optimizer')) is None:
        runner.optim_wrapper.load_state_dict(content['optimizer'])
    schedulers = runner.param_schedulers or []
    saved = content['param_schedulers']
    if schedule_changed(meta['run'], now) or len(saved) != len(schedulers):
        set_hyperparameters(runner.optim_wrapper, fresh)
        replay(schedulers, epoch, iteration, now['epoch_length'])
        rates = sorted({group['lr'] for group in optimizer.param_groups})
        runner.logger.info(f'the schedule is that of the new settings; learning rate {rates}')
    else:
        for scheduler, state in zip(schedulers, saved, strict=True):
            check_schedule(state, scheduler.state_dict())
            scheduler.load_state_dict(state)
    restore_hub(runner.message_hub, content['message_hub'])
    load_rank_buffers(unwrap(runner.model), content.get('rank_buffers') or [])


def check_schedule(saved: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    """Refuse the state of a schedule that would set more than its numbers.

    Raises:
        ValueError: A name that the schedule has not, another kind of value, a number not finite.
    """
    for name, value in saved.items():
        number = type(value) in (int, float) and type(own.get(name)) in (int, float)
        if name not in own or not (number or type(value) is type(own[name])):
            raise ValueError(
                f'the schedule of the checkpoint sets {shown(name)} to {shown(value)}; expected '
                f'values of the kinds in {shown(dict(own))}. Resume another checkpoint.'
            )
        values = value if isinstance(value, list) else [value]
        if any(type(v) is float and not math.isfinite(v) for v in values):
            raise ValueError(
                f'the schedule of the checkpoint has {shown(name)}={shown(value)}; expected finite '
                'numbers. Resume another checkpoint.'
            )


def _restore_seed(runner: Any, seed: int) -> None:
    """Take the saved seed where the config leaves it to chance."""
    if seed == runner.seed or runner._randomness_cfg.get('seed') is not None:
        return
    runner._randomness_cfg.update(seed=seed)
    runner.set_randomness(**runner._randomness_cfg)
    sampler = sampler_of(runner.train_dataloader)
    if hasattr(sampler, 'seed'):
        sampler.seed = seed


def _check_left(runner: Any, epoch: int, iteration: int) -> None:
    """Log that nothing is left to train, or that the run is beyond its end."""
    loop = runner.train_loop
    if epoch > loop.max_epochs or iteration > loop.max_iters:
        raise ValueError(
            f'the checkpoint is of epoch {epoch}, iteration {iteration}, and the config ends at '
            f'epoch {loop.max_epochs}, iteration {loop.max_iters}: what was trained beyond cannot '
            'be taken back. Raise train_cfg, or resume an earlier checkpoint.'
        )
    if epoch >= loop.max_epochs if counts_epochs(runner) else iteration >= loop.max_iters:
        runner.logger.info(
            f'nothing is left to train: epoch {epoch}, iteration {iteration} is the end; raise '
            'train_cfg to go on'
        )


def _position(runner: Any, meta: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[int, int]:
    """Return the epoch and iteration to go on from.

    Where an epoch has another length than when it was saved, one that was begun starts over.
    """
    epoch, iteration, length = int(meta['epoch']), int(meta['iter']), int(now['epoch_length'])
    if not counts_epochs(runner):
        return 0, iteration
    if length == meta['run']['epoch_length']:
        return epoch, iteration
    runner.logger.log(
        logging.WARNING,
        f'an epoch has {length} iterations, {meta["run"]["epoch_length"]} when it was saved: going '
        f'on at the start of epoch {epoch + 1}',
    )
    return epoch, epoch * length
