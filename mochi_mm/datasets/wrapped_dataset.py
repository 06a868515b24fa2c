"""Base class of data sets around one other."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from mochi_mm.datasets.base import ImageDataset
from mochi_mm.datasets.parts import built_parts, hand_down
from mochi_mm.datasets.transforms import Compose


class WrappedDataset(ImageDataset):
    """Base class of data sets whose samples are those of one other, chosen or changed.

    A subclass sets ``labels`` and says which sample stands where (:meth:`row`).

    Args:
        dataset: A data set of this project, as a config or an object.
        pipeline: For a data set that has none of its own.

    Attributes:
        parts: The data set, in a list.
        source: The data set.

    Raises:
        ValueError: A data set of another library, a pipeline here and there.
    """

    def __init__(self, dataset: Any, pipeline: Sequence[Any] = ()) -> None:
        super().__init__(pipeline)
        name = type(self).__name__
        self.parts = built_parts([dataset], f'{name}.dataset')
        hand_down(self.pipeline, self.parts, name)
        self.source = self.parts[0]
        self.classes = self.source.classes
        self.channels = self.source.channels

    @abstractmethod
    def row(self, index: int) -> int:
        """Return the number in the data set of sample ``index``."""

    def image(self, index: int) -> Any:
        """Return image ``index``; raises as the data set does."""
        return self.source.image(self.row(index))

    def sample(self, index: int) -> dict[str, Any]:
        """Return the input of the pipeline."""
        return self.source.sample(self.row(index))

    def pipeline_of(self, index: int) -> Compose:
        """Return the pipeline of sample ``index``."""
        return self.source.pipeline_of(self.row(index))

    def drawn_of(self, labels: np.ndarray, label: int, share: float, order: np.ndarray) -> Any:
        """Return the numbers of ``floor(share * n)`` of the n images of a class, (m,) int64.

        A smaller share of one order is part of a larger one.

        Args:
            labels: (n,) class of each image.
            label: The class.
            share: From 0 to 1; 0.29 of 100 are 29, whatever the product says.
            order: (n,) random numbers; the images with the least are taken.
        """
        members = np.flatnonzero(labels == label)
        members = members[np.argsort(order[members], kind='stable')]
        return members[: int(share * len(members) + 1e-9)]

    def mark(self, numbers: np.ndarray) -> str:
        """Return a digest of the fingerprint of the data set and of integers of this one."""
        digest = hashlib.sha256(self.source.fingerprint().encode())
        digest.update(numbers.astype('<i8').tobytes())
        return digest.hexdigest()[:16]
