"""Backbones rebuilt from the record in a weight file: kinds of a closed list, plain values.

A config is a program that its user wrote; the record in a weight file is text from elsewhere. The
registry, which imports and calls whatever a config names, is therefore never asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from mochi_mm.files.shown import shown
from mochi_mm.models.backbones.resnet import ResNet
from mochi_mm.models.backbones.split_backbone import SplitBackbone
from mochi_mm.models.backbones.timm_backbone import TRAINING_ONLY, TimmBackbone
from mochi_mm.models.backbones.timm_record import checked_timm_arguments
from mochi_mm.registry import SCOPE

#: Positions, masks and the like, which a network computes from its settings (1 GiB of float32).
_MOST_IN_BUFFERS = 2**28
_MAX_PARTS = 16
_MAX_DEPTH = 4
_NAME = re.compile(r'[a-z0-9_]{1,100}(\.[a-z0-9_]{1,100})?')


def checked_backbone(record: Any, source: str, depth: int = 0) -> dict[str, Any]:
    """Return the architecture that a file records, without its requests for weights.

    Args:
        record: ``meta.mochi_mm.backbone`` of the file.
        source: The file, for the error.
        depth: Number of split backbones around it.

    Returns:
        ``type`` (``ResNet``, ``SplitBackbone`` or ``TimmBackbone``) and the arguments, all of them
        plain data, at every depth. ``init_cfg`` and where timm's weights came from are left out.

    Raises:
        ValueError: Another type, an argument that the type has not, or a value of another kind.
    """
    kind = record.get('type') if isinstance(record, Mapping) else None
    name = kind.removeprefix(f'{SCOPE}.') if isinstance(kind, str) else ''
    if name not in _CHECKS:
        raise ValueError(
            f'{source} records a backbone of the type {shown(kind)}; expected one of '
            f'{", ".join(_CHECKS)}. Text in a weight file never chooses what is called: only the '
            'backbones of this project are built from it.'
        )
    given = {key: value for key, value in record.items() if key not in ('type', 'init_cfg')}
    return dict(type=name, **_CHECKS[name](given, source, depth))


def build_recorded(architecture: Mapping[str, Any], source: str) -> nn.Module:
    """Build the backbone that :func:`checked_backbone` returned, with fresh weights.

    Args:
        architecture: What it returned.
        source: The file, for the error.

    Raises:
        ImportError: timm is not installed.
        ValueError: Arguments that do not go together.
    """
    try:
        return _built(architecture)
    except ImportError:
        raise
    except Exception as error:  # whatever a library says of arguments that do not go together
        raise ValueError(
            f'{source} records a backbone that cannot be built: {type(error).__name__}: {error}. '
            'Expected a file of this project, unchanged.'
        ) from error


def outline_recorded(architecture: Mapping[str, Any], held: int, source: str) -> nn.Module:
    """Return that backbone on the meta device, where it takes no memory.

    Args:
        architecture: What :func:`checked_backbone` returned.
        held: Count of the numbers in the file.
        source: The file, for the error.

    Raises:
        ValueError: Those of :func:`build_recorded`; a backbone of many more numbers than the file
            holds.
    """
    with torch.device('meta'):
        outline = build_recorded(architecture, source)
    asked = sum(tensor.numel() for tensor in (*outline.parameters(), *outline.buffers()))
    if asked > held + _MOST_IN_BUFFERS:
        raise ValueError(
            f'{source} records a backbone of {asked} numbers and holds {held}; expected a file of '
            'this project, unchanged.'
        )
    return outline


def _built(architecture: Mapping[str, Any]) -> nn.Module:
    arguments = {key: value for key, value in architecture.items() if key != 'type'}
    if architecture['type'] == 'SplitBackbone':
        return SplitBackbone([_built(part) for part in arguments['backbones']])
    kinds: dict[str, type[nn.Module]] = dict(ResNet=ResNet, TimmBackbone=TimmBackbone)
    return kinds[architecture['type']](**arguments)


def _is_whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value <= high


_RESNET: dict[str, tuple[Callable[[Any], bool], str]] = dict(
    depth=(_is_whole(1, 1000), 'a whole number'),
    width=(lambda v: type(v) in (int, float) and 0 < v <= 64, 'a number in (0, 64]'),
    out_indices=(
        lambda v: isinstance(v, (list, tuple)) and len(v) <= 4 and all(map(_is_whole(0, 3), v)),
        'up to four stages',
    ),
    frozen_stages=(_is_whole(-1, 4), '-1 to 4'),
    norm_eval=(lambda v: type(v) is bool, 'True or False'),
    stem=(lambda v: type(v) is str and v in ('imagenet', 'small'), "'imagenet' or 'small'"),
    zero_init_residual=(lambda v: type(v) is bool, 'True or False'),
    in_channels=(_is_whole(1, 4096), 'a whole number, 1 to 4096'),
)


def _resnet(given: dict[Any, Any], source: str, depth: int) -> dict[str, Any]:
    for key, value in given.items():
        if key not in _RESNET:
            raise _unexpected(source, 'ResNet', key, _RESNET)
        holds, expected = _RESNET[key]
        if not holds(value):
            raise ValueError(
                f'{source} records {key}={shown(value)} of a ResNet; expected {expected}.'
            )
    return {'depth': 50, 'width': 1.0, **given}


def _split(given: dict[Any, Any], source: str, depth: int) -> dict[str, Any]:
    for key in given:
        if key != 'backbones':
            raise _unexpected(source, 'SplitBackbone', key, ['backbones'])
    parts = given.get('backbones')
    if not isinstance(parts, (list, tuple)) or not 2 <= len(parts) <= _MAX_PARTS:
        raise ValueError(
            f'{source} records the parts {shown(parts)} of a SplitBackbone; expected a list of 2 '
            f'to {_MAX_PARTS} backbones.'
        )
    if depth >= _MAX_DEPTH:
        raise ValueError(
            f'{source} records split backbones within each other, more than {_MAX_DEPTH} deep; '
            'expected backbones of this project.'
        )
    return dict(backbones=[checked_backbone(part, source, depth + 1) for part in parts])


def _timm(given: dict[Any, Any], source: str, depth: int) -> dict[str, Any]:
    for key in given:
        if key not in ('model_name', 'model_kwargs', *TRAINING_ONLY):
            raise _unexpected(source, 'TimmBackbone', key, ['model_name', 'model_kwargs'])
    name = given.get('model_name')
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(
            f'{source} records the timm model {shown(name)}; expected a name of '
            'timm.list_models(), no path and no address.'
        )
    return dict(
        model_name=name, model_kwargs=checked_timm_arguments(given.get('model_kwargs'), source)
    )


_CHECKS: dict[str, Callable[[dict[Any, Any], str, int], dict[str, Any]]] = dict(
    ResNet=_resnet, SplitBackbone=_split, TimmBackbone=_timm
)


def _unexpected(source: str, kind: str, key: Any, known: Any) -> ValueError:
    return ValueError(
        f'{source} records the argument {shown(key)} of a {kind}; expected some of '
        f'{", ".join(known)}.'
    )
