"""Prototypes of classes as candidates."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mochi_mm.structures import Block


def prototype_block(
    rows: Tensor, prototypes: Tensor, similarity: Callable[[Tensor, Tensor], Tensor]
) -> Block:
    """Return the block ``prototypes``: row c stands for class c, with gradient where it has some.

    Args:
        rows: (A, D) unit rows of the anchors.
        prototypes: (C, D) unit rows.
        similarity: Function of (A, D) and (C, D) rows that returns (A, C).
    """
    labels = torch.arange(len(prototypes), device=prototypes.device)
    return Block('prototypes', similarity(rows, prototypes), rows=prototypes, labels=labels)
