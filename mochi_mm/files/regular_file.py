"""Opening files that others may have put there: regular ones alone, and never waiting."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from mochi_mm.files.shown import shown_path

_KINDS = (
    (stat.S_ISDIR, 'a folder'),
    (stat.S_ISFIFO, 'a named pipe'),
    (stat.S_ISSOCK, 'a socket'),
    (stat.S_ISCHR, 'a device'),
    (stat.S_ISBLK, 'a device'),
)


def open_regular(path: str | Path) -> BinaryIO:
    """Open a regular file, or a link to one, for reading bytes.

    A named pipe would make a reader wait for ever, a device gives bytes without end, and opening
    some devices already does something; none of them is opened.

    Raises:
        FileNotFoundError: No such file, or a link to nowhere.
        ValueError: It is of another kind, a link that leads back to itself, or no possible name.
        OSError: It cannot be opened.
    """
    check_regular(path)
    # It may have been exchanged since: without O_NONBLOCK a pipe would still make us wait.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        _check_mode(path, os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, 'rb')
    except BaseException:
        os.close(descriptor)
        raise


def check_regular(path: str | Path) -> None:
    """Refuse what :func:`open_regular` refuses, for a library that opens a path itself."""
    try:
        _check_mode(path, os.stat(path).st_mode)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ValueError(
                f'{shown_path(path)} is a link that leads back to itself; expected a file. Remove '
                'the link.'
            ) from error
        raise


def read_bytes(path: str | Path, limit: int) -> bytes:
    """Return the content of a regular file of up to ``limit`` bytes.

    Raises:
        FileNotFoundError: No such file.
        ValueError: It is no regular file, or larger.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        content = file.read(limit + 1) if size <= limit else b''
    if size > limit or len(content) > limit:
        raise ValueError(
            f'{shown_path(path)} has {max(size, len(content))} bytes; expected up to {limit}. '
            'Restore it, or delete it and run again what wrote it.'
        )
    return content


def _check_mode(path: str | Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(mode)), 'no file')
        raise ValueError(f'{shown_path(path)} is {kind}; expected a regular file. Move it away.')
