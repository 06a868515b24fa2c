"""One clustering of a data set, as pseudo-labels are made from it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Clustering:
    """Clusters of the n images of a data set.

    Attributes:
        labels: (n,) int64 cluster of each image.
        confidence: (n,) float32 in (0, 1], how sure each label is.
        centroids: (k, D) float32 unit rows; one without a member is where the clustering left it.
    """

    labels: Tensor
    confidence: Tensor
    centroids: Tensor
