"""Checkpoint files as data: tensors, numbers, strings; never code."""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from mochi_mm.files.archive import check_archive
from mochi_mm.files.file_kind import other_kind
from mochi_mm.files.plain_tensors import check_tensors
from mochi_mm.files.regular_file import open_regular
from mochi_mm.files.safetensors_file import SUFFIX, as_checkpoint, read_safetensors
from mochi_mm.files.shown import shown_path


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Return the content of ``path`` on the CPU, read with ``weights_only=True`` and no fallback.

    What other libraries have put on torch's list of allowed objects is not allowed here: a file
    that stays within such a list can still run code. A ``.safetensors`` file is returned in the
    same layout: ``state_dict``, and ``meta`` where it records what its weights were trained with.

    Raises:
        FileNotFoundError: No such file.
        ValueError: An address; not a checkpoint, torn, or holding objects other than data, of which
            it names the first.
    """
    path = local_path(path)
    if path.is_dir():
        raise FileNotFoundError(f'{path} is a folder; expected one of the checkpoints in it.')
    if path.suffix == SUFFIX:
        content = as_checkpoint(*read_safetensors(path), path)
    else:
        content = _loaded(path)
    if not isinstance(content, dict):
        raise ValueError(f'{path} holds a {type(content).__name__}; expected a dict of tensors.')
    check_tensors(content, path)
    return content


def _loaded(path: Path) -> Any:
    """Return the content that torch reads from a file that unpacks to no more than its size."""
    try:
        file = open_regular(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f'no checkpoint at {path}; expected a .pth file of a training run.'
        ) from error
    with file:
        kind = other_kind(file)
        if kind is not None:
            raise ValueError(
                f'{shown_path(path)} cannot be read as a checkpoint: it {kind}.'.replace(
                    'FILE', shown_path(path)
                )
            )
        try:
            if zipfile.is_zipfile(file):
                with zipfile.ZipFile(file) as archive:
                    check_archive(archive, path)
            file.seek(0)
            with _nothing_else_allowed():
                return torch.load(file, map_location='cpu', weights_only=True)
        except Exception as error:  # damage shows as any kind of error; all mean the same
            raise ValueError(_refusal(path, error)) from error


@contextmanager
def _nothing_else_allowed() -> Iterator[None]:
    added = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    try:
        yield
    finally:
        torch.serialization.add_safe_globals(added)


def _refusal(path: Path, error: Exception) -> str:
    """Return the error that names what was refused and what to do about it."""
    found = re.search(r'GLOBAL (\S+)', str(error))
    of_others = 'Invalid magic number' in str(error)  # of a pickle that torch did not write
    if found is None and not of_others and not isinstance(error, pickle.UnpicklingError):
        return (
            f'{path} cannot be read as a checkpoint: {type(error).__name__}: '
            f'{str(error).splitlines()[0] if str(error) else "no reason given"}. The file is torn '
            'or no checkpoint; restore it.'
        )
    what = f'it holds {found.group(1)}' if found else 'it holds more than plain data'
    return (
        f'{path} cannot be read as a checkpoint: {what}. Only tensors, numbers and strings are '
        'read; objects of any other kind are refused because reading them can run code. If you '
        'trust where the file comes from, convert it: python tools/converters/trust.py '
        f'{path} NEW.pth'
    )


def local_path(name: str | Path) -> Path:
    """Return ``name`` as a path, ``~`` being the home.

    Raises:
        ValueError: An address; nothing is fetched behind the user's back.
    """
    if re.match(r'\w+:/', str(name)):  # a Path has lost one of the two strokes
        raise ValueError(
            f'{name} is an address; expected the path of a local file. Download it first, and '
            'check what you got.'
        )
    return Path(name).expanduser()
