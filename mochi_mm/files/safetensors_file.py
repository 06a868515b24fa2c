"""Tensors in the safetensors format: no code in the file, and metadata as text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from mochi_mm.files.atomic_file import write_atomically
from mochi_mm.files.json_text import parse_json
from mochi_mm.files.regular_file import check_regular
from mochi_mm.files.shown import shown_path

SUFFIX = '.safetensors'


def write_safetensors(
    path: str | Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> str:
    """Write ``tensors`` and ``metadata`` in one step; return the SHA-256 of the file.

    Raises:
        OSError: It cannot be written; what was there before still is.
    """
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    content = save(plain, {'format': 'pt', **metadata})
    return write_atomically(path, lambda file: file.write(content))[1]


def read_safetensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors of a file on the CPU, and its metadata.

    Raises:
        FileNotFoundError: No such file.
        ValueError: It is damaged or of another kind.
    """
    path = Path(path)
    try:
        check_regular(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(f'no weights at {path}; expected a {SUFFIX} file.') from error
    try:
        with safe_open(path, framework='pt') as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(
            f'{path} cannot be read as safetensors: {error}. Restore it, or, '
            'if it is a checkpoint of another format, name it .pth.'
        ) from error


def as_checkpoint(
    tensors: dict[str, Tensor], metadata: Mapping[str, str], source: str | Path
) -> dict[str, Any]:
    """Return the content of a file in the layout of a checkpoint; ``meta`` has its metadata.

    Args:
        tensors: Its tensors.
        metadata: Its metadata. Without a record of this project these are bare weights.
        source: Path of the file, for the error.

    Raises:
        ValueError: The record cannot be read: taken without it, the weights would be measured on
            images of any kind.
    """
    if 'mochi_mm' not in metadata:
        return dict(state_dict=tensors)
    record = parse_json(metadata['mochi_mm'], f'the record in {shown_path(source)}')
    return dict(state_dict=tensors, meta=dict(mochi_mm=record, export=dict(metadata)))
