"""The small pictures of a data set and their hashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch.utils.data import DataLoader, Dataset

from mochi_mm.datasets.duplicates import THUMBNAIL, thumbnail, window_hashes
from mochi_mm.datasets.duplicates.difference_hash import WINDOWS
from mochi_mm.datasets.loader_timeout import frozen_workers_named
from mochi_mm.datasets.start_worker import LOADER_TIMEOUT, start_worker
from mochi_mm.datasets.unreadable_image import UnreadableImage
from mochi_mm.utils.progress import progress_bar

_BATCH = 64


@dataclass(frozen=True)
class Pictures:
    """M images as they are compared; one that cannot be read has ``pixels`` 0.

    Attributes:
        thumbnails: (M, 32, 32, 3) uint8.
        hashes: (M, 7) uint64, see :func:`~mochi_mm.datasets.duplicates.window_hashes`.
        pixels: (M,) int64, width times height of each image.
        unreadable: Why an image cannot be read, by its number among the M.
    """

    thumbnails: np.ndarray
    hashes: np.ndarray
    pixels: np.ndarray
    unreadable: dict[int, str]


class _Images(Dataset):
    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, place: int) -> tuple[np.ndarray, np.ndarray, int, str]:
        try:
            image = self.dataset.image(int(self.indices[place]))
        except UnreadableImage as error:
            blank = np.zeros((THUMBNAIL, THUMBNAIL, 3), dtype=np.uint8)
            return blank, np.zeros(len(WINDOWS), dtype=np.uint64), 0, str(error)
        small = thumbnail(image)
        return small, window_hashes(small), image.width * image.height, ''


def read_pictures(
    dataset: Any,
    indices: Sequence[int] | None = None,
    num_workers: int = 0,
    progress: bool = True,
) -> Pictures:
    """Return the pictures of a data set, each image decoded once: 3.2 KB of memory for each.

    Args:
        dataset: A data set of this project, with ``image(index)``.
        indices: Numbers of the images that are looked at; None for all.
        num_workers: Processes that decode.
        progress: Show a bar with the time left, if stderr is a terminal.

    Raises:
        FrozenWorkerError: No images came within the limit of the loader.
    """
    images = _Images(dataset, range(len(dataset)) if indices is None else list(indices))
    count = len(images)
    thumbnails = np.zeros((count, THUMBNAIL, THUMBNAIL, 3), dtype=np.uint8)
    hashes = np.zeros((count, len(WINDOWS)), dtype=np.uint64)
    pixels = np.zeros(count, dtype=np.int64)
    unreadable: dict[int, str] = {}
    loader = DataLoader(
        images,
        _BATCH,
        num_workers=num_workers,
        timeout=LOADER_TIMEOUT if num_workers else 0,
        collate_fn=list,
        worker_init_fn=start_worker if num_workers else None,
    )
    with frozen_workers_named():
        for number, batch in enumerate(progress_bar(loader, 'images', len(loader), progress)):
            for place, found in enumerate(batch, number * _BATCH):
                thumbnails[place], hashes[place], pixels[place], problem = found
                if problem:
                    unreadable[place] = problem
    return Pictures(thumbnails, hashes, pixels, unreadable)
