"""Checkpoint files as data: tensors, numbers, strings; never code."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Return the content of ``path`` on the CPU, read with ``weights_only=True`` and no fallback.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Not a checkpoint, torn, or holding objects other than data.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'no checkpoint at {path}; expected a .pth file of a training run.')
    try:
        content = torch.load(path, map_location='cpu', weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError) as error:
        raise ValueError(
            f'{path} cannot be read as a checkpoint: {str(error).splitlines()[0]} Expected a file '
            'of tensors, numbers and strings; objects of any other kind are refused because '
            'reading them can run code.'
        ) from error
    if not isinstance(content, dict):
        raise ValueError(f'{path} holds a {type(content).__name__}; expected a dict of tensors.')
    return content


def state_dict_of(content: Mapping[str, Any]) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint by name, whether bare or under ``state_dict``."""
    tensors = content.get('state_dict', content)
    return {name: value for name, value in tensors.items() if isinstance(value, Tensor)}


def match_keys(
    wanted: Mapping[str, Tensor], found: Mapping[str, Any], source: str
) -> tuple[list[str], list[str]]:
    """Return the names that are missing from ``found`` and those that are unused.

    Raises:
        ValueError: Not a single name in common, or a shape that differs.
    """
    shared = [name for name in wanted if name in found]
    if not shared:
        raise ValueError(
            f'no weight of {source} fits the model: it has {_some(found)}, the model wants '
            f'{_some(wanted)}. Expected a checkpoint of the same architecture.'
        )
    wrong = [name for name in shared if wanted[name].shape != found[name].shape]
    if wrong:
        name = wrong[0]
        raise ValueError(
            f'{len(wrong)} weights of {source} have another shape, first {name}: '
            f'{tuple(found[name].shape)} in the file, {tuple(wanted[name].shape)} in the model. '
            'Expected the same depth and width.'
        )
    return [n for n in wanted if n not in found], [n for n in found if n not in wanted]


def load_backbone(model: nn.Module, path: str | Path) -> str:
    """Load the backbone's weights from a checkpoint of this project and return a report.

    Args:
        model: A model with a ``backbone``, or a backbone.
        path: A checkpoint whose keys start with ``backbone.``, or bare backbone weights.

    Raises:
        FileNotFoundError: No such file.
        ValueError: The file does not cover every weight of the backbone, in the right shape.
    """
    backbone: Any = getattr(model, 'backbone', model)
    tensors = state_dict_of(read_checkpoint(path))
    prefix = 'backbone.'
    if any(name.startswith(prefix) for name in tensors):
        found = {n[len(prefix) :]: t for n, t in tensors.items() if n.startswith(prefix)}
    else:
        found = tensors
    wanted = backbone.state_dict()
    missing, unused = match_keys(wanted, found, str(path))
    if missing:
        raise ValueError(
            f'{path} lacks {len(missing)} of {len(wanted)} backbone weights: {_some(missing)}. '
            'Expected a checkpoint of the same backbone.'
        )
    backbone.load_state_dict({name: found[name] for name in wanted})
    return (
        f'backbone loaded from {path}: {len(wanted)} of {len(wanted)} weights matched, '
        f'{len(unused)} in the file not used{": " + _some(unused) if unused else ""}'
    )


def load_for_test(model: nn.Module, path: str | Path) -> str:
    """Load what testing needs: every weight, or the backbone if that is all the model has.

    Args:
        model: A model, or its data-parallel wrapper.
        path: A checkpoint of this project.

    Raises:
        FileNotFoundError: No such file.
        ValueError: A weight of the model is missing or has another shape.
    """
    model = getattr(model, 'module', model)
    if all(name.startswith('backbone.') for name in model.state_dict()):
        return load_backbone(model, path)
    tensors = state_dict_of(read_checkpoint(path))
    missing, unused = match_keys(model.state_dict(), tensors, str(path))
    if missing:
        raise ValueError(
            f'{path} lacks {len(missing)} weights of the model: {_some(missing)}. Expected a '
            'checkpoint of the same config; a probe is tested with the checkpoint of the probe.'
        )
    model.load_state_dict(tensors, strict=not unused)
    return f'{len(tensors) - len(unused)} weights loaded from {path}, {len(unused)} not used'


def _some(names: Any, count: int = 3) -> str:
    listed = [str(name) for name in names]
    more = f' and {len(listed) - count} more' if len(listed) > count else ''
    return ', '.join(listed[:count]) + more
