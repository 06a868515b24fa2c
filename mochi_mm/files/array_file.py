"""Arrays in NumPy's formats, read as data: objects in them would be pickles."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Return the arrays of an ``.npz`` file by name.

    Raises:
        FileNotFoundError: No such file.
        ValueError: It is damaged, of another kind, or holds objects.
    """
    found = _load(path)
    if not isinstance(found, np.lib.npyio.NpzFile):
        raise ValueError(f'{path} holds one array; expected several by name, an .npz archive.')
    with found:
        return {name: _named(path, lambda name=name: found[name]) for name in found.files}


def map_array(path: str | Path) -> np.ndarray:
    """Return the array of an ``.npy`` file, mapped into memory and not to be written to.

    Raises:
        FileNotFoundError: No such file.
        ValueError: It is damaged, of another kind, or holds objects.
    """
    found = _load(path, mmap_mode='r')
    if not isinstance(found, np.ndarray):
        raise ValueError(f'{path} holds several arrays; expected one, an .npy file.')
    return found


def _load(path: str | Path, **how: Any) -> Any:
    if not Path(path).is_file():
        raise FileNotFoundError(f'no arrays at {path}.')
    return _named(path, lambda: np.load(path, allow_pickle=False, **how))


def _named(path: str | Path, read: Any) -> Any:
    try:
        return read()
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f'{path} cannot be read as arrays: {error} Only numbers are read, for objects can run '
            'code. Restore it, or delete it and run again what wrote it.'
        ) from error
