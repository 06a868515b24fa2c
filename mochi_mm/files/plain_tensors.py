"""Check of a file's tensors: their numbers lie in the file, one beside the other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mochi_mm.files.shown import shown, shown_path

_SMALL = 2**20


def check_tensors(content: Any, path: str | Path) -> None:
    """Check every tensor of a checkpoint, however deep it lies and however often it is named.

    Raises:
        ValueError: A tensor without numbers in the file, sparse, nested or quantized, or one that
            repeats few numbers to fill many places.
    """
    waiting: list[tuple[str, Any]] = [('', content)]
    seen: set[int] = set()
    while waiting:
        name, value = waiting.pop()
        if id(value) in seen:
            continue
        if isinstance(value, Tensor):
            seen.add(id(value))
            problem = _problem(value)
            if problem:
                raise ValueError(
                    f'{shown_path(path)}: {shown(name)} is {problem}; expected dense tensors, such '
                    'as training leaves. Convert it with the library that wrote it.'
                )
        elif isinstance(value, Mapping):
            seen.add(id(value))
            waiting += [
                (key if isinstance(key, str) else shown(key), item) for key, item in value.items()
            ]
        elif isinstance(value, (list, tuple, set)):
            seen.add(id(value))
            waiting += [(name, item) for item in value]


def _problem(tensor: Tensor) -> str | None:
    if tensor.layout != torch.strided or tensor.is_nested:
        return f'sparse ({tensor.layout})'
    if tensor.is_quantized:
        return 'quantized'
    if tensor.device.type != 'cpu':
        return f'a tensor without numbers ({tensor.device.type})'
    filled, held = tensor.numel() * tensor.element_size(), tensor.untyped_storage().nbytes()
    if filled > max(held, _SMALL):
        return f'{tuple(tensor.shape)}, {filled} bytes made of {held}'
    return None
