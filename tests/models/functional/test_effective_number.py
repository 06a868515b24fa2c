"""Weights by the effective number of images: worked values, limits, exact powers."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

from mochi_mm.models.functional.effective_number import effective_weights


def test_worked_values() -> None:
    weights = effective_weights(torch.tensor([10, 2]), 0.9)
    assert weights.tolist() == pytest.approx([0.645857, 2.214004], abs=1e-6)
    assert weights.dtype == torch.float32


@pytest.mark.parametrize('counts', [[500, 5], [1], [3, 3, 3], [1281167, 1, 77]])
@pytest.mark.parametrize('beta', [0.0, 0.5, 0.999999])
def test_equals_the_definition_in_exact_numbers(counts: list[int], beta: float) -> None:
    if beta == 0.5:
        counts = [min(n, 60) for n in counts]  # exact powers of a fraction have as many digits
    if beta == 0.999999:
        counts = [min(n, 500) for n in counts]
    exact = Fraction(beta)
    numbers = [(1 - exact**n) / (1 - exact) for n in counts]
    mean = sum(numbers) / len(numbers)
    expected = [float(mean / number) for number in numbers]
    assert effective_weights(torch.tensor(counts), beta).tolist() == pytest.approx(
        expected, rel=1e-6
    )


def test_limits() -> None:
    """All alike at 0; towards 1, the mean number of images over that of the class."""
    counts = torch.tensor([100, 10, 1])
    assert effective_weights(counts, 0.0).tolist() == [1, 1, 1]
    assert effective_weights(counts, 1 - 1e-12).tolist() == pytest.approx([0.37, 3.7, 37], rel=1e-5)
