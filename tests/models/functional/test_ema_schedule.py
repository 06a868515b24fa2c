"""The decay over a run."""

from __future__ import annotations

import math

import pytest

from mochi_mm.models.functional.ema_schedule import scheduled_ema_decay


@pytest.mark.parametrize('progress', [0.0, 0.25, 0.5, 1.0])
def test_values(progress: float) -> None:
    assert scheduled_ema_decay(0.99, 'constant', progress) == 0.99
    expected = 1 - 0.01 * (math.cos(math.pi * progress) + 1) / 2
    assert scheduled_ema_decay(0.99, 'cosine', progress) == pytest.approx(expected, abs=1e-15)


def test_ends() -> None:
    assert scheduled_ema_decay(0.99, 'cosine', 0) == pytest.approx(0.99)
    assert scheduled_ema_decay(0.99, 'cosine', 1) == 1
