"""A loader of some of the images of another."""

from __future__ import annotations

import numpy as np
from torch.utils.data import DataLoader, Subset


def some_images(loader: DataLoader, number: int) -> DataLoader:
    """Return a loader of images evenly spaced over a data set, in its order.

    Args:
        loader: Its data set, batch size and collation are taken.
        number: Number of images, at least 1; all are taken where there are fewer.
    """
    size = len(loader.dataset)  # type: ignore[arg-type]
    rows = np.linspace(0, size - 1, min(number, size)).round().astype(int)
    images = Subset(loader.dataset, rows.tolist())
    return DataLoader(images, loader.batch_size, collate_fn=loader.collate_fn)
