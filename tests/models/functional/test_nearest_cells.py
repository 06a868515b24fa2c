"""Each cell finds the cell of the other map that its features are nearest to."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mochi_mm.models.functional.nearest_cells import nearest_cells
from tests.reference import dot, unit


def by_definition(query: Tensor, key: Tensor) -> list[list[int]]:
    found = []
    for cells, others in zip(query.double(), key.double(), strict=True):
        rows = [unit(row) for row in others]
        cosines = [[dot(unit(cell), row) for row in rows] for cell in cells]
        found.append([max(range(len(rows)), key=lambda j, c=c: c[j]) for c in cosines])
    return found


def test_worked_value() -> None:
    query = torch.tensor([[(1.0, 0.0), (0.28, 0.96)]])
    key = torch.tensor([[(0.6, 0.8), (0.96, 0.28)]])
    assert nearest_cells(query, key).tolist() == [[1, 0]]


@pytest.mark.parametrize(('images', 'cells', 'others'), [(1, 1, 1), (3, 5, 5), (2, 7, 3)])
def test_equals_the_loop_at_any_scale(images: int, cells: int, others: int) -> None:
    generator = torch.Generator().manual_seed(cells)
    query = torch.randn(images, cells, 6, generator=generator)
    key = torch.randn(images, others, 6, generator=generator)
    scale = torch.linspace(1e-20, 1e20, others)[:, None]  # lengths say nothing
    assert nearest_cells(query, key * scale).tolist() == by_definition(query, key)


def test_a_cell_without_features_is_as_near_to_all() -> None:
    query = torch.tensor([[(0.0, 0.0), (1.0, 2.0)]])
    found = nearest_cells(query.requires_grad_(), torch.tensor([[(0.0, 0.0), (1.0, 1.0)]]))
    assert found[0, 1] == 1 and not found.requires_grad
