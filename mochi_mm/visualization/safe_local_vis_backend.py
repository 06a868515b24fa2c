"""Scalars in local files, also past a disk that is full for a while."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.fileio import dump
from mmengine.logging import print_log
from mmengine.visualization import LocalVisBackend

from mochi_mm.registry import VISBACKENDS


@VISBACKENDS.register_module()
class SafeLocalVisBackend(LocalVisBackend):
    """MMEngine's LocalVisBackend, whose failing writes do not end a run.

    A line that cannot be written stays in memory, one warning says so, and it is written before the
    next line that can be: no line is torn or out of order. What is still in memory when the process
    ends is lost, and the log says how much.

    Args:
        **settings: See ``mmengine.visualization.LocalVisBackend``.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._waiting: dict[str, list[str]] = {}

    def add_image(self, name: str, image: np.ndarray, step: int = 0, **kwargs: Any) -> None:
        """Write a picture; one that cannot be written is left out with a warning."""
        try:
            super().add_image(name, image, step, **kwargs)
        except OSError as error:
            _warn(f'picture {name!r} could not be written: {error}; training goes on')

    def close(self) -> None:
        """Write the lines that wait, in a last attempt."""
        for path in list(self._waiting):
            self._write(path)
        lost = sum(map(len, self._waiting.values()))
        if lost:
            _warn(f'{lost} lines of scalars could not be written and are lost')
        super().close()

    def _dump(self, value_dict: dict[str, Any], file_path: str, file_format: str) -> None:
        line = dump(value_dict, file_format=file_format) + '\n'
        self._waiting.setdefault(file_path, []).append(line)
        self._write(file_path)

    def _write(self, path: str) -> None:
        """Append the lines that wait for ``path``: all of them, or none."""
        content = ''.join(self._waiting[path]).encode()
        try:
            _append(Path(path), content)
        except OSError as error:
            if len(self._waiting[path]) == 1:
                _warn(
                    f'scalars could not be written to {path}: {error}; training goes on, they are '
                    'kept in memory until there is space'
                )
            return
        del self._waiting[path]


def _append(path: Path, content: bytes) -> None:
    """Append all of ``content``, or none and raise ``OSError``."""
    with open(path, 'ab', buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            while content:
                content = content[file.write(content) :]
        except OSError:
            file.truncate(size)
            raise


def _warn(text: str) -> None:
    print_log(text, logger='current', level=logging.WARNING)
