"""One step of a threshold against Adam by its definition, and its bounds."""

from __future__ import annotations

import math

import pytest
import torch

from mochi_mm.models.functional.quantile_threshold import threshold_step


@pytest.mark.parametrize('epoch', [0, 3, 70])
def test_equals_the_definition(epoch: int) -> None:
    """Two steps in a row; the first step is lr at epoch 0 and 0.6175 of it at epoch 70."""
    gradients = [0.3, -0.2]
    value, first, second = (torch.tensor([x], dtype=torch.float64) for x in (0.4, 0.0, 0.0))
    v, m, s = 0.4, 0.0, 0.0
    for gradient in gradients:
        step = torch.tensor([gradient], dtype=torch.float64)
        value, first, second = threshold_step(value, first, second, step, epoch, 0.05)
        m, s = 0.9 * m + 0.1 * gradient, 0.98 * s + 0.02 * gradient**2
        mean, scale = m / (1 - 0.9 ** (epoch + 1)), s / (1 - 0.98 ** (epoch + 1))
        v -= 0.05 * mean / (math.sqrt(scale) + 1e-8)
        assert float(value) == pytest.approx(v, abs=1e-12)
        assert (float(first), float(second)) == pytest.approx((m, s), abs=1e-12)


def test_it_stays_a_cosine() -> None:
    one, nothing = torch.ones(1), torch.zeros(1)
    assert float(threshold_step(one, nothing, nothing, -one, 0, 0.5)[0]) == 1
    assert float(threshold_step(-one, nothing, nothing, one, 0, 0.5)[0]) == -1
