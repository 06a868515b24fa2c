"""Arrays in NumPy's formats, read as data: objects in them would be pickles."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from mochi_mm.files.archive import check_archive
from mochi_mm.files.regular_file import check_regular, open_regular


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
    try:
        check_regular(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(f'no arrays at {path}.') from error
    if zipfile.is_zipfile(path):
        _named(path, lambda: _check_size(path))
    return _named(path, lambda: np.load(path, allow_pickle=False, **how))


def _check_size(path: str | Path) -> None:
    with open_regular(path) as file, zipfile.ZipFile(file) as archive:
        check_archive(archive, path, compressed=True)


def _named(path: str | Path, read: Any) -> Any:
    try:
        return read()
    except Exception as error:  # damage shows as any kind of error; all mean the same
        raise ValueError(
            f'{path} cannot be read as arrays: {error} Only numbers are read, for objects can run '
            'code. Restore it, or delete it and run again what wrote it.'
        ) from error
