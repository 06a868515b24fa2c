"""A folder index that is kept in a file between runs."""

from __future__ import annotations

import json
import logging
import os
import re
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from mmengine.logging import print_log

from mochi_mm.datasets.folder_index import FolderIndex
from mochi_mm.files.json_text import read_json_file

_HOUR = 3600.0  # no index takes so long to be written


def load_index(
    root: str | Path,
    extensions: Sequence[str],
    selected: Sequence[str] | None = None,
    cache: str | Path | None = None,
) -> FolderIndex:
    """Return the index of ``root``, from ``cache`` where that is still true.

    A missing, unreadable or outdated cache is written anew, in one step, so that processes that
    do so at the same time cannot spoil it. One that cannot be read or written, on a full disk or in
    a folder of somebody else, is a warning: the run needs it for speed alone. A folder without
    images is not worth a file. What a process left that was killed while it wrote goes after an
    hour.

    Args:
        root: The folder.
        extensions: Lower-case endings of image files.
        selected: Names of the sub-folders to look into, None for all.
        cache: Path of a JSON file; None keeps nothing.
    """
    if cache is None:
        return FolderIndex.scan(root, extensions, selected)
    path = Path(cache).expanduser()
    _sweep(path)
    index = _read(path)
    if index is not None:
        if index.matches(root, extensions, selected) and index.is_current():
            return index
        print_log(f'index {path} is outdated; listing {root} again', logger='current')
    index = FolderIndex.scan(root, extensions, selected)
    if len(index):
        _write(path, index)
    return index


def _sweep(path: Path) -> None:
    """Delete the unfinished files of this cache that nobody writes any more."""
    unfinished = re.compile(re.escape(path.name) + r'\.[0-9a-f]{32}\.tmp')
    try:
        for found in path.parent.iterdir():
            if unfinished.fullmatch(found.name) and time.time() - found.lstat().st_mtime > _HOUR:
                found.unlink(missing_ok=True)
    except OSError:  # in a folder of somebody else, or of another rank that was quicker
        return


def _read(path: Path) -> FolderIndex | None:
    try:
        if not os.path.lexists(path):
            return None
        return FolderIndex.from_json(read_json_file(path, file_names=True))
    except (OSError, ValueError) as error:
        print_log(
            f'index {path} cannot be read ({error}); listing the folder again',
            logger='current',
            level=logging.WARNING,
        )
        return None


def _write(path: Path, index: FolderIndex) -> None:
    temporary = path.with_name(f'{path.name}.{uuid.uuid4().hex}.tmp')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(path) and not path.is_file():
            raise OSError('what lies there is no file')
        try:
            text = json.dumps(index.to_json(), separators=(',', ':'))
            temporary.write_text(text, encoding='utf-8')
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        print_log(
            f'index {path} cannot be written ({error}); the folder is listed again at the next '
            'start. Set index_cache to a path that can be written, or leave it out.',
            logger='current',
            level=logging.WARNING,
        )
