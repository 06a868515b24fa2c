"""Correspondence of the cells of two feature maps (Wang et al. 2021, DenseCL)."""

from __future__ import annotations

import torch
from torch import Tensor

from mochi_mm.models.functional.unit_rows import unit_rows


@torch.no_grad()
def nearest_cells(query: Tensor, key: Tensor) -> Tensor:
    """Return for each cell of a query the cell of its key with the largest cosine, (B, P) int64.

    A cell without features (all zero) is as near to every cell as to any other.

    Args:
        query: (B, P, C) features of the cells, any scale.
        key: (B, R, C) features of the key's cells.

    >>> query = torch.tensor([[[1.0, 0.0], [0.28, 0.96]]])
    >>> nearest_cells(query, torch.tensor([[[0.6, 0.8], [0.96, 0.28]]]))
    tensor([[1, 0]])
    """
    cosine = unit_rows(query) @ unit_rows(key).transpose(1, 2)  # (B, P, R)
    return cosine.argmax(2)
