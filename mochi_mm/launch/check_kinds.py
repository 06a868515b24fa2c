"""Kinds of values in a config: what has to be a dictionary, a list, a number, a word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mochi_mm.argument_kinds import is_integer
from mochi_mm.launch.check_sections import loaders

_DICT, _DICTS, _LIST = 'a dictionary', 'a dictionary, or a list of them', 'a list of dictionaries'
#: Place and kind; a * stands for every name. None is allowed everywhere.
_SECTIONS: tuple[tuple[str, str], ...] = (
    ('model', _DICT),
    ('model.backbone', _DICT),
    ('model.neck', _DICT),
    ('model.head', _DICT),
    ('model.heads', _DICT),
    ('model.heads.*', _DICT),
    ('model.data_preprocessor', _DICT),
    ('data_preprocessor', _DICT),
    ('train_cfg', _DICT),
    ('val_cfg', _DICT),
    ('test_cfg', _DICT),
    ('*_dataloader', _DICT),
    ('*_evaluator', _DICTS),
    ('optim_wrapper', _DICT),
    ('optim_wrapper.optimizer', _DICT),
    ('optim_wrapper.clip_grad', _DICT),
    ('optim_wrapper.paramwise_cfg', _DICT),
    ('optim_wrapper.paramwise_cfg.custom_keys', _DICT),
    ('param_scheduler', _DICTS),
    ('auto_scale_lr', _DICT),
    ('default_hooks', _DICT),
    ('default_hooks.*', _DICT),
    ('custom_hooks', _LIST),
    ('env_cfg', _DICT),
    ('env_cfg.mp_cfg', _DICT),
    ('env_cfg.dist_cfg', _DICT),
    ('randomness', _DICT),
    ('log_processor', _DICT),
    ('visualizer', _DICT),
    ('visualizer.vis_backends', _LIST),
    ('model_wrapper_cfg', _DICT),
)
_OF_LOADER: tuple[tuple[str, str], ...] = (
    ('dataset', _DICT),
    ('sampler', _DICT),
    ('batch_sampler', _DICT),
    ('collate_fn', _DICT),
    ('worker_init_fn', _DICT),
    ('dataset.pipeline', 'a list of transforms'),
)
_FLAGS = ('drop_last', 'persistent_workers', 'pin_memory', 'shuffle')
#: Integers and the least value of each.
_INTEGERS = (
    ('default_hooks.logger.interval', 1),
    ('default_hooks.checkpoint.interval', 1),
    ('env_cfg.resource_limit', 1),
    ('env_cfg.mp_cfg.opencv_num_threads', 0),
)


def check_kinds(config: Mapping[str, Any]) -> None:
    """Raise on a value of another kind than the place where it stands takes.

    Args:
        config: A whole config.

    Raises:
        ValueError: With the place, the value, and what is expected.
    """
    for pattern, kind in _SECTIONS:
        for where, value in _at(config, pattern.split('.')):
            _check_kind(where, value, kind)
    for where, loader in loaders(config):
        for key, kind in _OF_LOADER:
            for inner, value in _at(loader, key.split('.')):
                _check_kind(f'{where}.{inner}', value, kind)
        for key in _FLAGS:
            if not isinstance(loader.get(key, False), bool):
                raise ValueError(f'{where}.{key} is {loader[key]!r}; expected True or False.')
        _check_source(loader.get('dataset'), f'{where}.dataset')
        _check_seed(loader.get('sampler'), f'{where}.sampler')
    for place, least in _INTEGERS:
        for where, value in _at(config, place.split('.')):
            if not is_integer(value) or value < least:
                raise ValueError(f'{where} is {value!r}; expected an integer >= {least}.')
    _check_keep(config)


def _at(node: Any, keys: Sequence[str], where: str = '') -> Iterator[tuple[str, Any]]:
    """Yield place and value of what stands at some keys, where something does.

    Args:
        node: Where the first key is looked for; anything but a mapping holds none.
        keys: Names; a leading ``*`` stands for any beginning.
        where: Place of the node.
    """
    if not isinstance(node, Mapping):
        return
    first, rest = keys[0], keys[1:]
    names = [name for name in node if str(name).endswith(first[1:])] if first[0] == '*' else [first]
    for name in names:
        value = node.get(name)
        place = f'{where}.{name}' if where else str(name)
        if value is None or (isinstance(value, str) and value.startswith('$')):
            continue  # nothing, or a shared name that is looked up later
        if rest:
            yield from _at(value, rest, place)
        else:
            yield place, value


def _check_kind(where: str, value: Any, kind: str) -> None:
    listed = isinstance(value, (list, tuple))
    if kind == _DICT:
        right = isinstance(value, Mapping)
    elif kind == _DICTS:
        right = isinstance(value, Mapping) or (listed and all(map(_is_mapping, value)))
    elif kind == _LIST:
        right = listed and all(map(_is_mapping, value))
    else:
        right = listed and len(value) > 0
    if not right:
        example = f'{where}.type=NAME' if kind == _DICT else f'{where}.0.type=NAME'
        raise ValueError(
            f'{where} is {value!r}; expected {kind}, in the config; a single setting in it has a '
            f'dotted key on the command line, such as {example}.'
        )


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def _check_source(dataset: Any, where: str) -> None:
    """Refuse a folder or a split that is no text, in a data set and those within it."""
    if not isinstance(dataset, Mapping):
        return
    for key in ('data_root', 'split'):
        value = dataset.get(key, '')
        if not isinstance(value, str) and not (value is None and key == 'split'):
            raise ValueError(
                f'{where}.{key} is {value!r}; expected a text, in quotes where it looks like a '
                f'number: \'{where}.{key}="{value}"\' on the command line.'
            )
    _check_source(dataset.get('dataset'), f'{where}.dataset')


def _check_seed(sampler: Any, where: str) -> None:
    seed = sampler.get('seed') if isinstance(sampler, Mapping) else None
    if seed is not None and (not is_integer(seed) or seed < 0):
        raise ValueError(f'{where}.seed is {seed!r}; expected an integer >= 0, or None.')


def _check_keep(config: Mapping[str, Any]) -> None:
    for where, value in _at(config, ['default_hooks', 'checkpoint', 'max_keep_ckpts']):
        whole = is_integer(value)
        if not whole or (value < 1 and value != -1):
            raise ValueError(
                f'{where} is {value!r}; expected an integer >= 1, or -1 to keep all checkpoints.'
            )
