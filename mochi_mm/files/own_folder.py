"""Output folders that a tool may empty, because it filled them itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path


def refuse_foreign_folder(folder: Path, marker: str, needed: Iterable[Path]) -> None:
    """Raise unless ``folder`` is new, empty, or holds ``marker`` and nothing that is needed.

    Args:
        folder: Folder that a tool wants to write, in place of what lies there.
        marker: Name of a file that only this tool writes, before anything else.
        needed: Paths that must not lie in the folder, nor be the folder.

    Raises:
        ValueError: The folder is a file, holds other files, or holds something needed.
    """
    inside = [path for path in needed if path.resolve().is_relative_to(folder.resolve())]
    if inside:
        raise ValueError(
            f'{folder} would be emptied but holds {inside[0].resolve()}; expected a new folder for '
            '--out.'
        )
    if not folder.exists():
        return
    if not folder.is_dir() or (any(folder.iterdir()) and not (folder / marker).is_file()):
        raise ValueError(
            f'{folder} holds other files (there is no {marker}, which an earlier run leaves); '
            'expected a new folder for --out, or delete this one yourself.'
        )


def make_empty(folder: Path, marker: str) -> None:
    """Delete what ``folder`` holds and put an empty file ``marker`` there.

    Args:
        folder: One that :func:`refuse_foreign_folder` let pass.
        marker: See there.
    """
    if folder.exists():
        shutil.rmtree(folder.resolve())
    folder.resolve().mkdir(parents=True)
    (folder / marker).touch()
