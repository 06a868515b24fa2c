"""A folder that is whole or absent."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def new_folder(target: Path, overwrite: bool = False) -> Iterator[Path]:
    """Give an empty folder beside ``target`` that takes its place at the end of the block.

    Where the block fails, nothing is left and ``target`` is as it was.

    Args:
        target: Folder to write; may exist where it is empty.
        overwrite: Replace what it holds.

    Raises:
        ValueError: ``target`` is a file, or holds files and ``overwrite`` is off.
    """
    if target.exists() and not target.is_dir():
        raise ValueError(f'{target} is a file; expected a folder to write, new or empty.')
    if target.exists() and any(target.iterdir()) and not overwrite:
        raise ValueError(f'{target} is not empty; expected a new folder, or pass --overwrite.')
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f'.{target.name}.', dir=target.parent))
    try:
        yield partial
        if target.exists():
            shutil.rmtree(target)
        partial.chmod(0o755)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
