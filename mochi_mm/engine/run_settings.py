"""Settings that must not change unnoticed between the parts of a run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmengine.hooks import Hook
from torch import Tensor

from mochi_mm.distributed.rows import world_size
from mochi_mm.engine.data_facts import data_changes, data_facts
from mochi_mm.files.shown import shown, shown_text
from mochi_mm.files.trained_weights import is_finite
from mochi_mm.registry import component_name

_SECTIONS = (
    'model',
    'optim_wrapper',
    'param_scheduler',
    'train_dataloader',
    'randomness',
    'data_preprocessor',
    'sync_bn',
    'compile',
    'efficient_conv_bn_eval',
)
# Hooks that have a part in what a step computes; what others measure, log and save is free.
_OF_STEPS = (
    'DistSamplerSeedHook',
    'EMAUpdateHook',
    'KeyedRandomHook',
    'ParamSchedulerHook',
    'PreciseBNHook',
    'RevertSyncBNHook',
    'SetEpochHook',
    'SyncBuffersHook',
)
# What an earlier version compared.
_FORMERLY = _SECTIONS[:5]
# How data is fetched, and where it lies: no influence on any result.
_FREE = {
    'num_workers',
    'persistent_workers',
    'pin_memory',
    'prefetch_factor',
    'timeout',
    'data_root',
    'index_cache',
    'shards',
}
_SQUARES = ('exp_avg_sq', 'max_exp_avg_sq', 'square_avg', 'sum', 'step')
_LISTED = 5  # differences that are named
SCHEDULE = ('optim_wrapper', 'param_scheduler', 'auto_scale_lr')


def describe_run(runner: Any) -> dict[str, Any]:
    """Return the settings of a run that decide its result, as plain data."""
    settings: dict[str, Any] = {}
    for section in _SECTIONS:
        settings.update(_flat(runner.cfg.get(section), section))
    if (runner.cfg.get('auto_scale_lr') or {}).get('enable'):
        settings.update(_flat(runner.cfg.auto_scale_lr, 'auto_scale_lr'))
    settings.update(_listeners(runner))
    return dict(
        world_size=world_size(),
        dataset=len(runner.train_dataloader.dataset),
        data=data_facts(runner),
        epoch_length=len(runner.train_dataloader),
        max_epochs=int(runner.max_epochs),
        max_iters=int(runner.max_iters),
        loop=type(runner.train_loop).__name__,
        optimizer=type(getattr(runner.optim_wrapper, 'optimizer', runner.optim_wrapper)).__name__,
        settings=settings,
        compared=[*_SECTIONS, *(f'hooks.{name}' for name in _OF_STEPS)],
    )


def _listeners(runner: Any) -> Iterator[tuple[str, Any]]:
    """Yield the settings of the hooks that have a part in a step, or in what a checkpoint holds."""
    custom, default = runner.cfg.get('custom_hooks'), runner.cfg.get('default_hooks')
    given = {
        component_name(hook): hook
        for hook in [*(default or {}).values(), *(custom or [])]
        if isinstance(hook, Mapping) and 'type' in hook
    }
    for hook in runner.hooks:
        kind = type(hook)
        of_steps = kind.__name__ in _OF_STEPS
        if (
            of_steps
            or kind.before_save_checkpoint is not Hook.before_save_checkpoint
            or (kind.after_load_checkpoint is not Hook.after_load_checkpoint)
        ):
            name = kind.__name__
            yield from _flat(given.get(name, dict(type=name)), f'hooks.{name}')


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the differences between two runs: sentences, by the allowance that covers them."""
    found: dict[str, list[str]] = {}
    for name in ('world_size', 'dataset', 'optimizer', 'loop'):
        if before[name] != now[name]:
            key = 'settings' if name == 'loop' else name
            what = dict(dataset='samples', world_size='processes').get(name, name)
            text = f'{what}: {shown_text(before[name])} -> {now[name]}'
            found.setdefault(key, []).append(text)
    if 'data' in before:  # not in checkpoints of 0.1
        texts = data_changes(before['data'], now['data'])
        found.update({'dataset': found.get('dataset', []) + texts} if texts else {})
    old, new = before['settings'], now['settings']
    compared = before.get('compared', _FORMERLY)
    texts = [
        f'{shown_text(name)}: {shown_text(old.get(name, "absent"))} -> '
        f'{shown_text(new.get(name, "absent"))}'
        for name in sorted(old.keys() | new.keys(), key=str)
        if old.get(name) != new.get(name) and (name in old or _is_compared(name, compared))
    ]
    if texts:
        more = [f'{len(texts) - _LISTED} more'] if len(texts) > _LISTED else []
        found.setdefault('settings', []).extend([*texts[:_LISTED], *more])
    return found


def _is_compared(name: str, compared: Sequence[str]) -> bool:
    """Return whether the run before wrote down settings of this kind, so that it had none."""
    section, _, rest = name.partition('.')
    if section != 'hooks':
        section = section.split('[')[0]
        return section in compared or section == 'auto_scale_lr'
    hook = rest.split('.')[0]
    return hook not in _OF_STEPS or f'hooks.{hook}' in compared


def schedule_changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Return whether learning rates may not be taken over as they were saved."""
    lengths = ('max_epochs', 'max_iters', 'epoch_length', 'loop')
    old, new = before['settings'], now['settings']
    return any(before[name] != now[name] for name in lengths) or any(
        old.get(name) != new.get(name)
        for name in old.keys() | new.keys()
        if name.split('.')[0].split('[')[0] in SCHEDULE
    )


def optimizer_problem(optimizer: Any, saved: Mapping[str, Any] | None) -> str | None:
    """Return why a saved optimizer state does not fit ``optimizer``, None if it does."""
    if saved is None:
        return 'it holds no optimizer state'
    groups = saved.get('param_groups', [])
    wanted = [len(group['params']) for group in optimizer.param_groups]
    found = [len(group['params']) for group in groups]
    if wanted != found:
        return f'its optimizer has groups of {found} parameters, the run has {wanted}'
    for group, own in zip(groups, optimizer.param_groups, strict=True):
        odd = [name for name, value in group.items() if not _fits(value, own.get(name))]
        if odd:
            return f'its optimizer has {shown_text(odd[0])}={shown(group[odd[0]])}'
    parameters = [p for group in optimizer.param_groups for p in group['params']]
    numbers = [n for group in groups for n in group['params']]
    for number, parameter in zip(numbers, parameters, strict=True):
        for name, value in saved['state'].get(number, {}).items():
            if not isinstance(value, Tensor):
                continue
            if not is_finite(value) or (name in _SQUARES and bool((value < 0).any())):
                return (
                    f'its optimizer state {shown(name)} of parameter {shown(number)} holds numbers '
                    'that no step leaves (NaN, infinity, a square below zero)'
                )
            if value.ndim and value.shape != parameter.shape:
                return (
                    f'its optimizer state {shown(name)} of parameter {number} has the shape '
                    f'{tuple(value.shape)}, the parameter {tuple(parameter.shape)}'
                )
    return None


def _fits(value: Any, own: Any) -> bool:
    """Return whether a setting of an optimizer is of the kind that the run has, and a value."""
    if type(value) in (int, float):
        least = -math.inf if type(own) in (int, float) and own < 0 else 0
        return math.isfinite(value) and value >= least
    if isinstance(value, (list, tuple)):
        return all(_fits(item, None) for item in value)
    if own is None:
        return value is None or type(value) is bool or isinstance(value, Tensor)
    return value is None or isinstance(value, type(own))


def _flat(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping):
        for name, child in node.items():
            if name not in _FREE:
                yield from _flat(child, f'{path}.{name}')
    elif isinstance(node, Sequence) and not isinstance(node, str):
        for i, child in enumerate(node):
            yield from _flat(child, f'{path}[{i}]')
    else:
        yield path, node if isinstance(node, (bool, int, float, type(None))) else str(node)
