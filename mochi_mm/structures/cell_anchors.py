"""Anchors that are cells of feature maps."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mochi_mm.structures.anchors import Anchors


@dataclass(frozen=True, kw_only=True)
class CellAnchors(Anchors):
    """A unit rows, each an embedding of a cell of a view of an image of this rank.

    Attributes:
        cell: (A,) int64, number of the anchor's cell in its map.
        match: (A,) int64, number of the cell of the key's map that is the anchor's own key.
    """

    cell: Tensor
    match: Tensor
