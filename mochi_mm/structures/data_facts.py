"""Facts of the training data that parts of a model may ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class DataFacts:
    """Facts of the training set that are known before the first iteration.

    Attributes:
        num_images: n, images of the data set.
        classes: Names of the classes, in the order of their labels; empty where there are none.
        class_counts: (C,) int64, labeled images of each class.
        labeled: (n,) bool, which images have a label.
    """

    num_images: int
    classes: Sequence[str]
    class_counts: Tensor
    labeled: Tensor
