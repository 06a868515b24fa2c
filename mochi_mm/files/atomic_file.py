"""Atomic writing: a file is there whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mochi_mm.files.regular_file import open_regular

SUFFIX = '.partial'
#: In a temporary folder: host and process that made it, one per line.
OWNER = '.owner'
_BLOCK = 1 << 20
_DAY = 86400.0


class _HashingFile:
    """A file that hashes the bytes written to it; has what :func:`torch.save` needs."""

    def __init__(self, file: Any) -> None:
        self._file, self.hash, self.size = file, hashlib.sha256(), 0

    def write(self, data: Any) -> int:
        self.hash.update(data)
        self.size += memoryview(data).nbytes
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()


def write_atomically(path: str | Path, write: Callable[[Any], Any]) -> tuple[int, str]:
    """Create or replace ``path`` in one step and return its size in bytes and its SHA-256.

    The content goes to a temporary file in the same folder, is synced to the disk, read back and
    compared; only then does it take the name. Whatever fails or kills the process before, ``path``
    is as it was, and the temporary file is removed (by :func:`sweep` after a kill).

    Args:
        path: The file.
        write: Called with an object that has ``write(bytes)``.

    Raises:
        OSError: It cannot be written (disk full, no permission), or reads back otherwise.
    """
    path = Path(path)
    temporary = path.with_name(f'.{path.name}.{uuid.uuid4().hex}{SUFFIX}')
    try:
        with open(temporary, 'wb') as file:
            hashing = _HashingFile(file)
            write(hashing)
            file.flush()
            os.fsync(file.fileno())
        if sha256_of(temporary) != hashing.hash.hexdigest():
            raise OSError(f'{path} reads back from the disk other than it was written')
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return hashing.size, hashing.hash.hexdigest()


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def sweep(folder: str | Path) -> list[Path]:
    """Delete the temporary files that a killed process left in ``folder`` and return them.

    A folder is what an export was killed in; it goes as well, unless an export that lives has it.

    Raises:
        OSError: Some cannot be deleted; the others are.
    """
    left, stuck = [], None
    for path in sorted(Path(folder).glob(f'.*{SUFFIX}')):
        try:
            if path.is_dir() and not path.is_symlink():
                if is_in_use(path):
                    continue
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
            left.append(path)
        except OSError as error:
            stuck = error
    if stuck is not None:
        raise stuck
    return left


def is_in_use(folder: Path) -> bool:
    """Return whether the process that made a temporary folder lives, or may live elsewhere."""
    try:
        host, process = (folder / OWNER).read_text(encoding='utf-8').split('\n')[:2]
        if host != socket.gethostname():
            return time.time() - folder.stat().st_mtime < _DAY
        os.kill(int(process), 0)
    except (OSError, ValueError, OverflowError) as error:
        return isinstance(error, PermissionError)
    return True


def _sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
