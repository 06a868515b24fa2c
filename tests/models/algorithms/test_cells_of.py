"""Cells stand row by row of the last map."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.models.algorithms.cells_of import cells_of
from mochi_mm.models.necks import DenseCLNeck, MLPNeck


def test_cells_of_the_last_map_row_by_row() -> None:
    neck, maps = DenseCLNeck(4, out_channels=2), torch.randn(2, 4, 3, 5)
    cells = cells_of((torch.zeros(1), maps), neck)
    assert cells is not None and cells.neck.shape == (2, 15, 2)
    assert torch.equal(cells.backbone[1, 2 * 5 + 3], maps[1, :, 2, 3])
    torch.testing.assert_close(cells.neck[1, 2 * 5 + 3], neck.dense(maps[1, :, 2, 3]))
    assert cells_of(maps, MLPNeck(4)) is None and cells_of(maps, None) is None


def test_vectors_have_no_cells() -> None:
    with pytest.raises(ValueError, match=r'features of shape \(2, 4\) but DenseCLNeck .* ResNet'):
        cells_of(torch.zeros(2, 4), DenseCLNeck(4))
