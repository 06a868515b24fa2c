"""Numbers of a config that no run can be made with, whichever components it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mochi_mm.argument_kinds import is_integer, is_number
from mochi_mm.launch.check_sections import loaders, setting_at
from mochi_mm.launch.config_parts import placed_parts
from mochi_mm.launch.metric_names import check_metric
from mochi_mm.registry import component_name
from mochi_mm.runs.allowances import check_allowances
from mochi_mm.runs.measured_figures import measuring_hook, rule_for

# Below these sections: the least value, and whether it has to be an integer.
_OF_LOOP = {'max_epochs': 1, 'max_iters': 1, 'val_interval': 1, 'val_begin': 0}
_OF_LOADER = {'batch_size': 1, 'num_workers': 0, 'prefetch_factor': 1}
_BASE_BATCH = 'auto_scale_lr.base_batch_size'
_OF_OPTIMIZER = ('lr', 'weight_decay', 'momentum', 'dampening', 'eps', 'alpha')


def check_values(config: Mapping[str, Any]) -> None:
    """Raise on lengths, sizes and rates that are out of range, and on what would never happen.

    Args:
        config: A whole config.

    Raises:
        ValueError: With the key, the value, what was expected, and how to mend it.
    """
    for where, loader in loaders(config):
        for key, least in _OF_LOADER.items():
            _check_integer(loader.get(key), f'{where}.{key}', least)
        _check_workers(loader, where)
    _check_integer(setting_at(config, 'auto_scale_lr.base_batch_size'), _BASE_BATCH, 1)
    for part in ('val', 'test'):
        _check_together(config, [f'{part}_{name}' for name in ('dataloader', 'cfg', 'evaluator')])
    check_allowances(config.get('resume_allow') or ())
    loop = config.get('train_cfg') or {}
    for key, least in _OF_LOOP.items():
        _check_integer(loop.get(key), f'train_cfg.{key}', least)
    _check_optimizer(config.get('optim_wrapper') or {})
    _check_schedules(config.get('param_scheduler') or [], loop)
    _check_validation(config, loop)
    _check_beginnings(config, loop)


def _check_integer(value: Any, where: str, least: int) -> None:
    if value is None:
        return
    if not is_integer(value) or value < least:
        raise ValueError(f'{where} is {value!r}; expected an integer >= {least}.')


def _check_together(config: Mapping[str, Any], names: Sequence[str]) -> None:
    """Raise where the engine would: it takes these together, or none of them."""
    absent = [name for name in names if config.get(name) is None]
    if absent and len(absent) < len(names):
        there = [name for name in names if name not in absent]
        raise ValueError(
            f'the config has {" and ".join(there)} but no {" nor ".join(absent)}; expected '
            f'{", ".join(names)} together, or none of them.'
        )


def _check_workers(loader: Mapping[str, Any], where: str) -> None:
    if loader.get('num_workers', 0):
        return
    for key in ('persistent_workers', 'prefetch_factor'):
        if loader.get(key):
            raise ValueError(
                f'{where} has num_workers=0 and {key}={loader[key]!r}, which is of workers alone; '
                f'set {where}.{key}={False if key == "persistent_workers" else None} as well, or '
                'num_workers to at least 1.'
            )


def _check_optimizer(wrapper: Mapping[str, Any]) -> None:
    _check_integer(wrapper.get('accumulative_counts'), 'optim_wrapper.accumulative_counts', 1)
    optimizer = wrapper.get('optimizer') or {}
    for key in _OF_OPTIMIZER:
        value = optimizer.get(key) if isinstance(optimizer, Mapping) else None
        if value is not None and not (_is_number(value) and value >= 0):
            raise ValueError(
                f'optim_wrapper.optimizer.{key} is {value!r}; expected a number >= 0, such as '
                f'optim_wrapper.optimizer.{key}={"0.03" if key == "lr" else "1e-4"}.'
            )
    norm = (wrapper.get('clip_grad') or {}).get('max_norm')
    if norm is not None and not (_is_number(norm) and norm > 0):
        raise ValueError(f'optim_wrapper.clip_grad.max_norm is {norm!r}; expected a number > 0.')


def _is_number(value: Any) -> bool:
    return is_number(value) and value == value


def _check_schedules(schedules: Any, loop: Mapping[str, Any]) -> None:
    schedules = [schedules] if isinstance(schedules, Mapping) else schedules
    for i, schedule in enumerate(schedules if isinstance(schedules, (list, tuple)) else ()):
        begin, end, period = (schedule.get(key) for key in ('begin', 'end', 'T_max'))
        where, begin = f'param_scheduler.{i}', begin or 0
        counted = loop.get('max_iters') is not None and loop.get('max_epochs') is None
        if counted and schedule.get('by_epoch', True) and not schedule.get('convert_to_iter_based'):
            raise ValueError(
                f'{where} ({schedule.get("type")}) steps by epochs, and train_cfg counts '
                f'iterations, so it would never step; set {where}.by_epoch=False and its lengths '
                'in iterations.'
            )
        length = loop.get('max_epochs' if schedule.get('by_epoch', True) else 'max_iters')
        if length is not None and begin >= length:
            raise ValueError(
                f'{where} ({schedule.get("type")}) begins at {begin}, and the run ends at '
                f'{length}, so it would never begin; set {where}.begin, and the end of what comes '
                'before it, to less.'
            )
        if end is not None and end <= begin:
            raise ValueError(
                f'{where} ({schedule.get("type")}) ends at {end} and begins at {begin}; expected '
                'an end behind the beginning.'
            )
        if period is not None:
            _check_integer(period, f'{where}.T_max', 1)


def _check_validation(config: Mapping[str, Any], loop: Mapping[str, Any]) -> None:
    hook = (config.get('default_hooks') or {}).get('checkpoint') or {}
    best, length = hook.get('save_best'), loop.get('max_epochs') or loop.get('max_iters')
    validated = config.get('val_dataloader') is not None
    if best is not None and (needed := measuring_hook(best)):
        _check_measured(config, best, needed)
    elif best is not None and loop and not validated:
        raise ValueError(
            f'default_hooks.checkpoint.save_best={best!r} needs a validation, and the run has none;'
            ' set val_dataloader, val_evaluator and val_cfg, take a figure of a hook such as '
            "'knn/top1', or leave save_best out."
        )
    begin = loop.get('val_begin', 1)
    if validated and length is not None and begin > length:
        raise ValueError(
            f'train_cfg.val_begin is {begin} and the run ends at {length}, so it would never be '
            'validated; set train_cfg.val_begin to less, or leave val_dataloader, val_evaluator '
            'and val_cfg out.'
        )
    if best is not None and validated and not measuring_hook(best):
        check_metric(best, config.get('val_evaluator'))


def _check_measured(config: Mapping[str, Any], name: str, needed: str) -> None:
    """Refuse a figure to keep the best by that no hook of the config measures."""
    hook = config['default_hooks']['checkpoint']
    rule_for(name, hook.get('rule'))
    if needed not in map(component_name, config.get('custom_hooks') or ()):
        raise ValueError(
            f'default_hooks.checkpoint.save_best={name!r} is measured by {needed}, and the config '
            'has none; add it to custom_hooks, or leave save_best out.'
        )


def _check_beginnings(config: Mapping[str, Any], loop: Mapping[str, Any]) -> None:
    """Refuse parts of the model, and hooks, that would begin after the end of the run."""
    length = loop.get('max_epochs')
    if length is None:
        return
    for section in ('model', 'custom_hooks'):
        for where, part in placed_parts(config.get(section), section):
            for name in ('start_epoch', 'update_epoch'):
                _check_begins(part, where, name, length)


def _check_begins(part: Mapping[str, Any], where: str, name: str, length: int) -> None:
    start = part.get(name)
    if not is_number(start) or start < length or ('mixers' in part and not part['mixers']):
        return
    mixes = bool(part.get('mixers'))
    nothing = 'nothing would ever be mixed' if mixes else 'it would never act'
    fix = 'remove the mixers' if mixes else 'train longer'
    raise ValueError(
        f'{where}.{name} is {start} but the run ends after {length} epochs, so {nothing}; lower '
        f'{where}.{name} or {fix}.'
    )
