"""Check that cells are embedded where a head compares them, and only there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_mm.models.algorithms.named_heads import named_heads
from mochi_mm.structures.features import CELLS
from mochi_mm.structures.protocols import EmbedsCells

if TYPE_CHECKING:
    from mochi_mm.models.algorithms.base_algorithm import BaseAlgorithm


def check_cells(model: BaseAlgorithm) -> None:
    """Refuse a head on cells without a neck that embeds them, and such a neck without a head.

    A model without any head, which is only measured, may have the neck.

    Raises:
        ValueError: One of the two is missing.
    """
    heads = named_heads(model)
    takers = [head for head in heads.values() if getattr(head, 'tap', '') == CELLS]
    embeds, neck = isinstance(model.neck, EmbedsCells), type(model.neck).__name__
    if takers and not embeds:
        raise ValueError(
            f'{type(takers[0]).__name__} compares the cells of a feature map, but the neck is '
            f'{neck}, which embeds none; set the type of the neck to DenseCLNeck.'
        )
    if heads and embeds and not takers:
        raise ValueError(
            f'{neck} embeds the cells of a feature map, but no head compares them, so that part '
            'would never be trained; add a DenseContrastiveHead under heads, or set the type of '
            'the neck to MLPNeck.'
        )
