"""Embeddings of the views of a batch, as an algorithm hands them to a head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

DataSamples = Mapping[str, Tensor]


@dataclass(frozen=True)
class Views:
    """Embeddings (B, D) by the number of their view, as the pipeline made the views.

    Attributes:
        online: Embeddings of the trained encoder, with gradient.
        target: Embeddings of the averaged encoder, constants; empty where an algorithm has none.
        samples: Tensors (B,) by name: ``gt_label``, ``sample_idx``, ...
        features: Backbone features of the online views, with gradient, for heads that use them
            beside the embeddings: pooled (B, C), or (B, P, C) where these are of cells.
        target_features: The same of the target views, constants.
    """

    online: Mapping[int, Tensor]
    target: Mapping[int, Tensor] = field(default_factory=dict)
    samples: DataSamples = field(default_factory=dict)
    features: Mapping[int, Tensor] = field(default_factory=dict)
    target_features: Mapping[int, Tensor] = field(default_factory=dict)

    @property
    def num_images(self) -> int:
        """Return B, the number of images of the batch on this rank."""
        return len(next(iter(self.online.values())))

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Return all pairs of an online and another target view, in the order of their numbers."""
        return [(i, j) for i in self.online for j in self.target if i != j]
