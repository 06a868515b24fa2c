"""Tensors in the safetensors format: no code in the file, and text that says what they are."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from mochi_mm.utils.atomic_file import write_atomically

SUFFIX = '.safetensors'
_KINDS = {
    torch.float64: 'F64',
    torch.float32: 'F32',
    torch.float16: 'F16',
    torch.bfloat16: 'BF16',
    torch.int64: 'I64',
    torch.int32: 'I32',
    torch.int16: 'I16',
    torch.int8: 'I8',
    torch.uint8: 'U8',
    torch.bool: 'BOOL',
}


def write_safetensors(
    path: str | Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> str:
    """Write ``tensors`` and ``metadata`` in one step; return the SHA-256 of the file.

    Raises:
        OSError: It cannot be written; what was there before still is.
    """
    plain = {name: value.detach().cpu() for name, value in tensors.items()}
    return write_atomically(path, lambda file: _write(file, plain, metadata))[1]


def _write(file: Any, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write the format tensor by tensor; the library's own writer holds all of them once more."""
    header: dict[str, Any] = {'__metadata__': {'format': 'pt', **metadata}}
    names = sorted(tensors, key=lambda name: (-tensors[name].itemsize, name))  # keeps each aligned
    begin = 0
    for name in names:
        tensor = tensors[name]
        if tensor.dtype not in _KINDS:
            kinds = ', '.join(map(str, _KINDS))
            raise ValueError(f'{name} is of {tensor.dtype}; expected one of {kinds}.')
        end = begin + tensor.nbytes
        shape, kind = list(tensor.shape), _KINDS[tensor.dtype]
        header[name] = dict(dtype=kind, shape=shape, data_offsets=[begin, end])
        begin = end
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    file.write(struct.pack('<Q', len(text)) + text)
    for name in names:
        file.write(tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy().data)


def read_safetensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors of a file on the CPU, and its metadata.

    Raises:
        FileNotFoundError: No such file.
        ValueError: It is damaged or of another kind.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f'no weights at {path}; expected a {SUFFIX} file.')
    try:
        with safe_open(path, framework='pt') as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(
            f'{path} cannot be read as safetensors: {error}. Restore it, or, '
            'if it is a checkpoint of another format, name it .pth.'
        ) from error


def as_checkpoint(tensors: dict[str, Tensor], metadata: Mapping[str, str]) -> dict[str, Any]:
    """Return what a file holds in the layout of a checkpoint, its record of weights included."""
    try:
        record = json.loads(metadata['mochi_mm'])
    except (KeyError, ValueError):
        return dict(state_dict=tensors)
    return dict(state_dict=tensors, meta=dict(mochi_mm=record))
