"""Names of components and settings of 0.1, and their present names.

A config of 0.1 builds what it built; one line in the log names the new spelling. ``UPGRADING.md``
lists them all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from mmengine.logging import print_log

#: Components by their former name.
COMPONENTS = dict(
    MomentumContrast='MoCo',
    LabelledMemoryHead='SupConHead',
    FalseNegativeMemoryHead='FalseNegativeHead',
)
_MIXING = ('num_hard', 'mixers', 'start_epoch')
_HEADS = (
    'ContrastiveHead',
    'SoftContrastiveHead',
    'SupConHead',
    'FalseNegativeHead',
    'CrossViewHead',
)

Settings = dict[str, Any]


def present_name(key: str) -> str:
    """Return the present name of a component, with the scope of this project where it has one.

    >>> present_name('mochi_mm.MomentumContrast'), present_name('mmdet.MomentumContrast')
    ('mochi_mm.MoCo', 'mmdet.MomentumContrast')
    """
    scope, dot, name = key.rpartition('.')
    return f'{scope}{dot}{COMPONENTS.get(name, name)}' if scope in ('', 'mochi_mm') else key


def modern(cfg: Mapping[str, Any]) -> Settings:
    """Return the config of a component in today's spelling.

    Args:
        cfg: Config with ``type`` as a string, with or without a scope before it.

    >>> modern(dict(type='InstanceBank', length=8, momentum=0.5))
    {'type': 'InstanceBank', 'length': 8, 'ema_decay': 0.5}
    """
    settings = dict(cfg)
    scope, _, name = str(settings['type']).rpartition('.')
    if scope not in ('', 'mochi_mm'):
        return settings
    if name in COMPONENTS:
        _say(name, COMPONENTS[name])
        name = COMPONENTS[name]
        settings['type'] = f'{scope}.{name}' if scope else name
    change = _CHANGES.get(name)
    return settings if change is None else change(settings)


def _bank(settings: Settings) -> Settings:
    if 'momentum' in settings:
        _say('InstanceBank(momentum=)', 'ema_decay')
        return {'ema_decay' if key == 'momentum' else key: v for key, v in settings.items()}
    return settings


def _head(settings: Settings) -> Settings:
    moved = {key: settings[key] for key in _MIXING if key in settings}
    if not moved:
        return settings
    name = settings['type'].rpartition('.')[2]
    _say(f'{name}({", ".join(f"{key}=" for key in moved)})', 'mixing=dict(...)')
    if 'mixing' in settings:
        raise ValueError(
            f'{name} got mixing and {", ".join(moved)} beside it; write the latter into mixing.'
        )
    rest = {key: value for key, value in settings.items() if key not in moved}
    return dict(rest, mixing=dict(type='HardNegativeMixing', **moved))


def _in_batch(settings: Settings) -> Settings:
    if 'backbone_head' not in settings:
        return settings
    _say('InBatchContrast(backbone_head=)', "heads=dict(name=dict(..., tap='backbone'))")
    rest = {key: value for key, value in settings.items() if key != 'backbone_head'}
    head = settings['backbone_head']
    if head is None:
        return rest
    if isinstance(head, Mapping):
        head = dict(head, tap='backbone')
    else:
        head.tap = 'backbone'
    return dict(rest, heads=dict(rest.get('heads') or {}, backbone_head=head))


_CHANGES: dict[str, Callable[[Settings], Settings]] = dict(
    InstanceBank=_bank, InBatchContrast=_in_batch, **dict.fromkeys(_HEADS, _head)
)


@cache
def _say(former: str, name: str) -> None:
    print_log(
        f'{former} is the name of 0.1; it is called {name} now (UPGRADING.md)',
        logger='current',
        level=logging.WARNING,
    )
