"""What the values that a resume takes from a checkpoint may be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mochi_mm.engine.hooks.checkpoint_hook import BEST_OF, STARTS
from mochi_mm.engine.hooks.data_fault_hook import STATE as UNREADABLE
from mochi_mm.engine.hooks.non_finite_hook import STATE as LEFT_OUT
from mochi_mm.engine.hooks.online_probe_hook import STATE as PROBE
from mochi_mm.engine.hooks.pretrained_hook import DIGEST
from mochi_mm.engine.hooks.representation_guard_hook import STATE as GUARDED
from mochi_mm.engine.validation_left import VALIDATED_AT, rename_former
from mochi_mm.files.shown import shown
from mochi_mm.files.trained_weights import check_weights, is_finite
from mochi_mm.models.memories.base_memory import BaseMemory

_LONGEST = 200  # characters of a name that a log shows
_MOST = 2**53  # of anything that is counted
_SEEDS = 2**32


def _is_count(value: Any, below: int = _MOST) -> bool:
    return type(value) is int and 0 <= value < below


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _is_name(value: Any) -> bool:
    return type(value) is str and value.isprintable() and len(value) <= _LONGEST


def _is_facts(value: Any) -> bool:
    plain = (str, int, float, bool, type(None))
    return isinstance(value, Mapping) and all(
        type(key) is str and type(item) in plain for key, item in value.items()
    )


def _are_starts(value: Any) -> bool:
    return isinstance(value, list) and all(_is_facts(start) for start in value)


def _are_faults(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(entry, Mapping)
        and _is_count(entry.get('size'))
        and isinstance(entry.get('samples'), list)
        and all(_is_count(sample, entry['size']) for sample in entry['samples'])
        for entry in value
    )


def _is_probe(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(p, Tensor) and is_finite(p) for p in value)


def _is_guarded(value: Any) -> bool:
    if not isinstance(value, Mapping) or set(value) != _OF_GUARD:
        return False
    figures, near = [value['start'], value['best']], value['neighbors']
    return (
        all(isinstance(part, Mapping) and all(map(_is_number, part.values())) for part in figures)
        and isinstance(near, Tensor)
        and near.dtype == torch.int64
        and near.ndim == 2
        and bool(((near >= 0) & (near < len(near))).all())
        and _is_count(value['images'])
        and _is_count(value['best_epoch'])
        and type(value['stopped']) is int
    )


_OF_GUARD = {'start', 'best', 'neighbors', 'images', 'best_epoch', 'stopped'}
_Rule = tuple[Callable[[Any], bool], str]
_COUNT: _Rule = (_is_count, 'a whole number >= 0')
#: Of ``meta``.
POSITION: dict[str, _Rule] = dict(
    epoch=_COUNT, iter=_COUNT, seed=(lambda value: _is_count(value, _SEEDS), 'a number of 32 bits')
)
#: Of ``meta.run``.
RUN: dict[str, _Rule] = dict(
    world_size=_COUNT,
    dataset=_COUNT,
    epoch_length=(lambda value: _is_count(value) and value > 0, 'a whole number >= 1'),
    max_epochs=_COUNT,
    max_iters=_COUNT,
    loop=(_is_name, 'a name'),
    optimizer=(_is_name, 'a name'),
    settings=(lambda value: isinstance(value, Mapping), 'settings by name'),
)
#: Of ``message_hub.runtime_info``: what hooks read where a run goes on.
INFO: dict[str, _Rule] = {
    STARTS: (_are_starts, 'a list of starts, each of texts and numbers by name'),
    UNREADABLE: (_are_faults, 'a list of dict(size=..., samples=[...]), of numbers below size'),
    LEFT_OUT: _COUNT,
    VALIDATED_AT: _COUNT,
    'best_score': (lambda value: value is None or _is_number(value), 'a finite number, or None'),
    BEST_OF: (_is_facts, 'texts and numbers by name'),
    GUARDED: (_is_guarded, 'measures by name, and neighbors of each image'),
    PROBE: (_is_probe, 'a list of finite tensors'),
    DIGEST: (_is_name, 'a digest'),
    'epoch': _COUNT,
    'iter': _COUNT,
}


def check_resumed(content: Mapping[str, Any], model: nn.Module) -> None:
    """Refuse values that no run has written, before any is taken.

    Args:
        content: Content of a checkpoint that has all parts.
        model: The model that is to go on.

    Raises:
        ValueError: Names the value, and what was expected.
    """
    meta, hub = content['meta'], content['message_hub']
    _check(meta, POSITION, 'meta.')
    _check(meta['run'], RUN, 'meta.run.')
    _check(rename_former(hub['runtime_info']), INFO, 'message_hub.runtime_info.')
    for part in ('runtime_info', 'log_scalars'):
        odd = [name for name in hub[part] if not _is_name(name)]
        if odd:
            raise _refusal(f'message_hub.{part}', odd[0], 'names that can be printed')
    for number, buffers in enumerate(content.get('rank_buffers') or []):
        check_weights(buffers, f'rank_buffers of rank {number}')
    for name, module in model.named_modules():
        if isinstance(module, BaseMemory):
            module.check_state(content['state_dict'], f'{name}.')


def _check(values: Mapping[str, Any], rules: Mapping[str, _Rule], where: str) -> None:
    for name, (is_right, expected) in rules.items():
        if name in values and not is_right(values[name]):
            raise _refusal(where + name, values[name], expected)


def _refusal(where: str, value: Any, expected: str) -> ValueError:
    return ValueError(
        f'{where} is {shown(value)}; expected {expected}. Resume another checkpoint, or '
        'start from its weights alone with load_from.'
    )
