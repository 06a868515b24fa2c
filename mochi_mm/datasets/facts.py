"""The facts of a data set that parts of a model may ask for."""

from __future__ import annotations

import numpy as np
import torch
from torch.utils.data import Dataset

from mochi_mm.structures import DataFacts
from mochi_mm.utils.class_names import class_names


def facts_of(dataset: Dataset) -> DataFacts:
    """Return the number of images, the classes, the images of each and which are labeled.

    A data set without ``labels`` counts as unlabeled; one that repeats its images counts each
    once.

    Args:
        dataset: With ``len``; ``num_images``, ``labels`` and ``metainfo`` where it has them.
    """
    size = int(getattr(dataset, 'num_images', len(dataset)))  # type: ignore[arg-type]
    labels = getattr(dataset, 'labels', None)
    values = np.full(size, -1) if labels is None else np.asarray(labels)[:size]
    known = torch.from_numpy(values.astype(np.int64))
    classes = class_names(dataset)
    labeled = known >= 0
    counts = torch.bincount(known[labeled], minlength=len(classes))
    return DataFacts(size, classes, counts, labeled)
