"""A function of the rows reaches features and embeddings of the cells."""

from __future__ import annotations

import torch

from mochi_mm.structures.cells import Cells


def test_each() -> None:
    cells = Cells(torch.arange(6.0).view(3, 2, 1), torch.arange(12.0).view(3, 2, 2))
    turned = cells.each(lambda rows: rows.flip(0))
    assert turned.backbone.flatten().tolist() == [4, 5, 2, 3, 0, 1]
    assert torch.equal(turned.neck, cells.neck.flip(0))
