"""Comparison of the images of two data sets."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from mochi_mm.datasets.image_folder import ImageFolder
from mochi_mm.datasets.packed_images import PackedImages
from mochi_mm.datasets.torchvision_dataset import TorchVisionDataset

_SOME = 64
#: Data sets of whose images something is known.
TELLING = (ImageFolder, PackedImages, TorchVisionDataset)


def same_images(first: Any, second: Any) -> bool:
    """Return whether two data sets hold the same images, as far as a glance tells.

    Of folders some paths are compared, evenly over both, and nothing is read; of packs the digests
    of some files that were packed; of data sets that are known by name, the name and the split. Of
    others nothing is known, which is no.

    Args:
        first: A data set.
        second: Another one.
    """
    if type(first) is not type(second) or len(first) != len(second):
        return False
    looked_at = np.unique(np.linspace(0, len(first) - 1, min(len(first), _SOME)).astype(int))
    if isinstance(first, ImageFolder):
        return all(_place(first, int(i)) == _place(second, int(i)) for i in looked_at)
    if isinstance(first, PackedImages):
        return all(first.digest(int(i)) == second.digest(int(i)) for i in looked_at)
    if isinstance(first, TorchVisionDataset):
        return (first.name, first.split) == (second.name, second.split)
    return False


def _place(dataset: ImageFolder, index: int) -> str:
    return os.path.realpath(dataset.path(index))
