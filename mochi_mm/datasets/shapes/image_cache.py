"""Rendered scenes on disk, so that each is drawn once and not in every epoch."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from mochi_mm.files.array_file import map_array

SOURCES = (
    'outlines.py',
    'textures.py',
    'scene.py',
    '../shape_scenes.py',
    '../combined_shape_scenes.py',
)


def fingerprint(settings: str) -> str:
    """Return a short hash of ``settings`` and of the code that draws: no cache is ever stale."""
    here = Path(__file__).parent
    code = b''.join((here / name).read_bytes() for name in SOURCES)
    return hashlib.sha256(settings.encode() + code).hexdigest()[:16]


def rendered(
    folder: str | Path, settings: str, count: int, size: int, render: Callable[[int], np.ndarray]
) -> np.ndarray:
    """Return all images, (count, size, size, 3) uint8, memory-mapped from a file in ``folder``.

    Args:
        folder: Made if absent; one file for each combination of settings.
        settings: Everything that the images depend on.
        count: Number of images.
        size: Side, pixels.
        render: Draws image i, (size, size, 3) uint8; called where there is no file yet.

    Raises:
        ValueError: The file holds something else.
    """
    path = Path(folder) / f'shapes_{fingerprint(settings)}.npy'
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        drawn = np.empty((count, size, size, 3), np.uint8)
        shown = track(
            range(count),
            description='drawing scenes',
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        for index in shown:
            drawn[index] = render(index)
        partial = path.with_suffix(f'.{os.getpid()}.tmp')
        with open(partial, 'wb') as file:
            np.save(file, drawn)
        os.replace(partial, path)
    images = map_array(path)
    if images.shape != (count, size, size, 3) or images.dtype != np.uint8:
        raise ValueError(
            f'{path} holds {images.shape} of {images.dtype}; expected {(count, size, size, 3)} of '
            'uint8. Delete it, and the scenes are drawn again.'
        )
    return images
