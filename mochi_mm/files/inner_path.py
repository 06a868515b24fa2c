"""Paths that a file names, kept within the folder that they are relative to."""

from __future__ import annotations

import os

from mochi_mm.files.shown import shown


def check_inner(name: str, source: str) -> str:
    """Return ``name`` if it is a relative path that stays below its folder.

    Args:
        name: Parts with '/' between them, as a list, an index or an annotation names a file.
        source: File that names the path, for the error.

    Raises:
        ValueError: It is empty, absolute, goes through ``..``, or no file can have such a name.
    """
    try:
        possible = b'\0' not in os.fsencode(name)
    except UnicodeEncodeError:
        possible = False
    if not possible or not name or any(part in ('', '.', '..') for part in name.split('/')):
        raise ValueError(
            f'{source} names {shown(name)}; expected a path below the folder of the data, without '
            "'..' and not absolute."
        )
    return name
