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

    def images_of(self, num_classes: int, who: str) -> Tensor:
        """Return (num_classes,) int64, images of each class, at least one of each.

        Args:
            num_classes: Number of classes that a part of a model is made for.
            who: Name of the part, for the error.

        Raises:
            ValueError: The training set has another number of classes, or none of a class.
        """
        found = len(self.class_counts)
        if found != num_classes:
            raise ValueError(
                f'{who} is made for {num_classes} classes but the training set has {found}; '
                f'expected one for one: set num_classes to {found}.'
            )
        if empty := (self.class_counts == 0).nonzero().flatten().tolist():
            name = f' ({self.classes[empty[0]]})' if self.classes else ''
            raise ValueError(
                f'{len(empty)} of the {num_classes} classes have no image in the training set, the '
                f'first of them class {empty[0]}{name}; {who} needs at least 1 of each: take these '
                'classes out of the data set, or add images.'
            )
        return self.class_counts
