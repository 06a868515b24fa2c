"""The blocked logarithm of a sum: value and gradient against float64 and torch."""

from __future__ import annotations

import math

import pytest
import torch

from mochi_mm.models.functional import log_sum_exp as module
from mochi_mm.models.functional.log_sum_exp import log_sum_exp


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize(('rows', 'columns'), [(1, 1), (5, 7), (7, 64)])
@pytest.mark.parametrize('temperature', [0.001, 0.2, 1.0])
def test_value_and_gradient(
    dtype: torch.dtype,
    rows: int,
    columns: int,
    temperature: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, '_BLOCK_NUMBERS', 130)  # several blocks, the last one shorter
    values = torch.rand(rows, columns, generator=torch.Generator().manual_seed(0), dtype=dtype)
    weight = torch.rand(rows, generator=torch.Generator().manual_seed(1), dtype=dtype)
    leaf = values.clone().requires_grad_()
    result = log_sum_exp(leaf, temperature)
    (result * weight).sum().backward()
    tolerance = 1e-12 if dtype == torch.float64 else 2e-5
    for b in range(rows):
        numbers = [float(x) / temperature for x in values[b]]
        top = max(numbers)
        expected = top + math.log(sum(math.exp(x - top) for x in numbers))
        assert float(result[b]) == pytest.approx(expected, rel=tolerance)
        for j, number in enumerate(numbers):
            slope = float(weight[b]) * math.exp(number - expected) / temperature
            assert leaf.grad is not None
            assert float(leaf.grad[b, j]) == pytest.approx(
                slope, rel=100 * tolerance, abs=tolerance / temperature
            )


def test_masked_entries_and_rows() -> None:
    infinity = float('inf')
    values = torch.tensor([[0.1, -infinity, 0.3], [-infinity] * 3], dtype=torch.float64)
    leaf = values.clone().requires_grad_()
    result = log_sum_exp(leaf, 0.5)
    result.sum().backward()
    assert float(result[0]) == pytest.approx(math.log(math.exp(0.2) + math.exp(0.6)))
    assert result[1] == -infinity
    assert leaf.grad is not None and torch.equal(leaf.grad[1], torch.zeros(3, dtype=torch.float64))
    assert leaf.grad[0, 1] == 0


def test_holds_no_temporary_of_the_size_of_its_input() -> None:
    """What is kept for backward is the input itself and one number a row."""
    leaf = torch.randn(4, 1000, requires_grad=True)
    kept: list[torch.Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        log_sum_exp(leaf, 0.2)
    assert sorted(tensor.numel() for tensor in kept) == [4, 4000]
    assert any(tensor.data_ptr() == leaf.data_ptr() for tensor in kept)
