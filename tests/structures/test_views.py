"""Embeddings by the number of their view."""

from __future__ import annotations

import torch

from mochi_mm.structures import Views


def test_pairs_are_of_different_numbers_in_their_order() -> None:
    row = torch.zeros(3, 2)
    views = Views({0: row, 1: row}, {0: row, 1: row, 2: row})
    assert views.pairs == [(0, 1), (0, 2), (1, 0), (1, 2)] and views.num_images == 3
    assert Views({0: row}, {0: row}).pairs == [] and Views({0: row}).pairs == []
