"""Choosing the hardest negatives: the fast way is torch.topk, entry by entry."""

from __future__ import annotations

import pytest
import torch

from mochi_mm.models.functional.hardest import select_by_threshold, select_hardest


def cosines(rows: int, length: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, length, generator=torch.Generator().manual_seed(seed)) * 0.1


@pytest.mark.parametrize('rows', [0, 1, 15, 16, 17])
@pytest.mark.parametrize(('length', 'num'), [(4096, 1), (4104, 513), (8192, 1000), (4113, 7)])
def test_equals_topk(rows: int, length: int, num: int) -> None:
    values = cosines(rows, length)
    index, chosen = select_hardest(values.requires_grad_(), num)
    expected = torch.topk(values.detach(), num, dim=1)
    assert index.dtype == torch.int64 and index.shape == (rows, num)
    assert not chosen.requires_grad
    assert torch.equal(chosen, expected.values)
    assert torch.equal(values.detach().gather(1, index), chosen)
    assert all(len(set(row)) == num for row in index.tolist())


@pytest.mark.parametrize('num', [1, 20, 64])
def test_threshold_with_ties_masks_and_equal_rows(num: int) -> None:
    values = (cosines(6, 4096) * 50).round() / 50  # many equal values
    values[0] = 0.25
    values[1] = float('-inf')
    values[2, :-3] = float('-inf')
    values[3, 1::2] = float('-inf')
    index, chosen = select_by_threshold(values, num)
    assert torch.equal(chosen, torch.topk(values, num, dim=1).values)
    assert torch.equal(values.gather(1, index), chosen)
    assert all(len(set(row)) == num for row in index.tolist())


def test_hard_rows_lie_side_by_side() -> None:
    """The worst case for groups: all of the largest in the same few of them."""
    values = cosines(3, 4096)
    values[0, :40] += 5
    values[1, ::512] += 5
    index, chosen = select_by_threshold(values, 40)
    assert torch.equal(chosen, torch.topk(values, 40, dim=1).values)
    assert set(index[0].tolist()) == set(range(40))


def test_nan_does_not_stop_it() -> None:
    values = cosines(2, 4096)
    values[0, 5] = float('nan')
    index, chosen = select_by_threshold(values, 8)
    assert chosen[0].isnan().any() and int(index[0, 0]) == 5
    assert torch.equal(chosen[1], torch.topk(values[1], 8).values)
