"""InfoNCE against its definition."""

from __future__ import annotations

import math

import pytest
import torch

from mochi_mm.models.functional.info_nce import info_nce
from tests.reference import info_nce_loop


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('sizes', [(1,), (7,), (5, 3), (1, 1, 64)])
@pytest.mark.parametrize('temperature', [0.07, 0.2, 1.0])
def test_equals_the_loop(dtype: torch.dtype, sizes: tuple[int, ...], temperature: float) -> None:
    generator = torch.Generator().manual_seed(0)
    positive = torch.rand(6, generator=generator, dtype=dtype) * 2 - 1
    blocks = [torch.rand(6, n, generator=generator, dtype=dtype) * 2 - 1 for n in sizes]
    loss = info_nce(positive, blocks, temperature)
    for b in range(6):
        everyone = [float(x) for block in blocks for x in block[b]]
        expected = info_nce_loop(float(positive[b]), everyone, temperature)
        exact = dtype == torch.float64
        assert float(loss[b]) == pytest.approx(
            expected, rel=1e-12 if exact else 1e-5, abs=1e-12 if exact else 1e-5
        )


def test_masked_negative_counts_for_nothing() -> None:
    positive = torch.tensor([0.3], dtype=torch.float64, requires_grad=True)
    negatives = torch.tensor([[0.1, float('-inf'), -0.4]], dtype=torch.float64, requires_grad=True)
    loss = info_nce(positive, [negatives], 0.2)
    loss.sum().backward()
    assert float(loss) == pytest.approx(info_nce_loop(0.3, [0.1, -0.4], 0.2), rel=1e-12)
    assert negatives.grad is not None and negatives.grad[0, 1] == 0
    assert torch.isfinite(negatives.grad).all()


def test_chance_level() -> None:
    loss = info_nce(torch.zeros(1), [torch.zeros(1, 99)], 0.2)
    assert float(loss) == pytest.approx(math.log(100), rel=1e-6)


def test_large_logits_do_not_overflow() -> None:
    loss = info_nce(torch.tensor([-1.0]), [torch.ones(1, 3)], 0.001)
    assert float(loss) == pytest.approx(2000 + math.log(3), rel=1e-6)
