"""Rows of unit length: extreme lengths, what is not finite, bits, gradients."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from mochi_mm.models.functional.unit_rows import unit_rows
from tests.reference import dot

ROW = torch.tensor([[0.3, -0.4, 1.2], [2.0, 1.0, -2.0]], dtype=torch.float64)
UNIT = torch.tensor([[3, -4, 12], [26 / 3, 13 / 3, -26 / 3]], dtype=torch.float64) / 13


@pytest.mark.parametrize('scale', [1e19, 1e-19, 1e37, 1e-37, 1.0, 3e-3, 7e5])
def test_any_length(scale: float) -> None:
    rows = unit_rows((ROW * scale).float())
    torch.testing.assert_close(rows.double(), UNIT, rtol=0, atol=2e-7)


def test_squares_that_would_overflow_or_vanish() -> None:
    for scale in (1e25, 1e-25):
        with_torch = F.normalize((ROW * scale).float(), dim=-1)
        assert not torch.allclose(with_torch.double(), UNIT, atol=1e-3)
        torch.testing.assert_close(
            unit_rows((ROW * scale).float()).double(), UNIT, atol=2e-7, rtol=0
        )


def test_subnormal_and_largest_numbers() -> None:
    tiny, largest = 2.0**-149, torch.finfo(torch.float32).max
    rows = torch.tensor([[tiny, 0.0], [3 * tiny, -4 * tiny], [largest, largest], [-largest, 0]])
    expected = [[1, 0], [0.6, -0.8], [math.sqrt(0.5)] * 2, [-1, 0]]
    torch.testing.assert_close(unit_rows(rows), torch.tensor(expected), rtol=0, atol=1e-7)


def test_one_entry_far_larger_than_the_others() -> None:
    row = unit_rows(torch.tensor([[1e30, 1.0, -1e-30]]))
    assert float(row[0, 0]) == 1
    assert float(row[0, 1]) == pytest.approx(1e-30, rel=1e-6) and float(row[0, 2]) == 0


def test_a_zero_row_stays_zero_with_a_finite_gradient() -> None:
    rows = torch.tensor([[0.0, 0.0], [3.0, 4.0]], requires_grad=True)
    result = unit_rows(rows)
    result.sum().backward()
    assert result[0].tolist() == [0, 0] and rows.grad is not None
    assert rows.grad.isfinite().all()


@pytest.mark.parametrize('wrong', [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_makes_its_own_row_nan(wrong: float) -> None:
    rows = torch.tensor([[1.0, wrong, 2.0], [3.0, 0.0, 4.0]])
    result = unit_rows(rows)
    assert result[0].isnan().any()
    torch.testing.assert_close(result[1], torch.tensor([0.6, 0.0, 0.8]))


@pytest.mark.parametrize('shape', [(1, 1), (7, 128), (5, 2, 33), (64, 2048)])
@pytest.mark.parametrize('scale', [1e-4, 0.05, 1.0, 30.0, 1e4])
def test_usual_rows_have_the_bits_of_torch(shape: tuple[int, ...], scale: float) -> None:
    rows = torch.randn(shape, generator=torch.Generator().manual_seed(0)) * scale
    assert torch.equal(unit_rows(rows), F.normalize(rows, dim=-1))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_the_result_is_float32(dtype: torch.dtype) -> None:
    rows = ROW.to(dtype)
    result = unit_rows(rows)
    assert result.dtype == torch.float32
    assert torch.equal(result, F.normalize(rows.float(), dim=-1))


@pytest.mark.parametrize('scale', [1.0, 1e19, 1e-19])
def test_gradient(scale: float) -> None:
    """``(g - u (u.g)) / |x|``, one coordinate at a time."""
    rows = (ROW * scale).float().requires_grad_()
    weight = torch.tensor([[0.5, -1.0, 2.0], [1.0, 0.25, -3.0]])
    (unit_rows(rows) * weight).sum().backward()
    assert rows.grad is not None
    for x, unit, g, grad in zip(ROW * scale, UNIT, weight.double(), rows.grad, strict=True):
        length = math.sqrt(dot(x, x))
        along = dot(unit, g)
        for d in range(3):
            expected = (float(g[d]) - float(unit[d]) * along) / length
            assert float(grad[d]) == pytest.approx(expected, rel=1e-4, abs=1e-6 / length)


def test_a_zero_row_has_no_gradient() -> None:
    """It has no direction: whatever would move it would be made of rounding."""
    rows = torch.tensor([[0.0, 0.0], [3.0, 4.0]], requires_grad=True)
    unit_rows(rows).sum().backward()
    assert rows.grad is not None
    assert rows.grad[0].tolist() == [0, 0] and rows.grad[1].abs().sum() > 0
