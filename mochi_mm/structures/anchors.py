"""Anchors: the rows of the similarity matrices, compared with the candidates."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mochi_mm.structures.views import DataSamples


@dataclass(frozen=True)
class Anchors:
    """A unit rows, each an embedding of a view of an image of this rank.

    Attributes:
        rows: (A, D) float32 unit rows, with gradient.
        image: (A,) int64, number of the image in the batch of this rank.
        num_images: B, images of the batch on this rank.
        samples: Tensors (A,) by name, those of the anchor's image.
        keys: (A, P, D) unit rows, constants: the own keys, P of each anchor. None where the batch
            itself holds the positives.
        num_views: Anchors of an image, in a batch whose rows stand image by image.
        pairs: (query, key) numbers of views, where the anchors stand pair by pair, B of each; empty
            where they do not.
    """

    rows: Tensor
    image: Tensor
    num_images: int
    samples: DataSamples
    keys: Tensor | None = None
    num_views: int = 1
    pairs: tuple[tuple[int, int], ...] = ()
