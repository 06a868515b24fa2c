"""Cells of a feature map and their embeddings."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from mochi_mm.structures.cells import Cells
from mochi_mm.structures.protocols import EmbedsCells, Neck


def cells_of(maps: Tensor | Sequence[Tensor], neck: Neck | None) -> Cells | None:
    """Return features and embeddings of the cells of the last map; None if the neck embeds none.

    Args:
        maps: What the backbone gives; the last is (B, C, H, W).
        neck: Neck of the same encoder.

    Raises:
        ValueError: The backbone gives vectors, whose cells are lost.
    """
    if not isinstance(neck, EmbedsCells):
        return None
    last = maps if isinstance(maps, Tensor) else maps[-1]
    if last.ndim != 4:
        raise ValueError(
            f'the backbone gives features of shape {tuple(last.shape)} but {type(neck).__name__} '
            'embeds the cells of a map (images, channels, height, width); take a backbone that '
            'gives maps, such as ResNet.'
        )
    cells = last.flatten(2).transpose(1, 2)  # (B, P, C), row by row of the map
    return Cells(cells, neck.embed_cells(cells))
