"""The accepted share by epoch, and schedules that never accept."""

from __future__ import annotations

from typing import Any

import pytest

from mochi_mm.engine.acceptance_schedule import AcceptanceSchedule


@pytest.mark.parametrize(
    ('settings', 'shares'),
    [
        (dict(), [0, 0, 0.25, 0.5, 0.75, 1]),
        (dict(start_epoch=0), [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (dict(start_epoch=2, end_epoch=4, shares=(0.5, 0.9)), [0, 0, 0.5, 0.7, 0.9, 0.9]),
        (dict(start_epoch=3, end_epoch=3), [0, 0, 0, 1, 1, 1]),
        (dict(shares=(1.0, 0.2)), [0, 1, 0.8, 0.6, 0.4, 0.2]),
    ],
)
def test_grows_linearly_after_the_warm_up(settings: Any, shares: list[float]) -> None:
    schedule = AcceptanceSchedule(**settings)
    assert [schedule.share(epoch, 6) for epoch in range(6)] == pytest.approx(shares)
    schedule.check(6, 100)


@pytest.mark.parametrize(
    'settings', [dict(start_epoch=6), dict(shares=(0.0, 0.0)), dict(shares=(0.0, 0.01))]
)
def test_one_that_never_accepts_is_refused(settings: Any) -> None:
    with pytest.raises(ValueError, match='never accepts two of the 100 images in 6 epochs'):
        AcceptanceSchedule(**settings).check(6, 100)


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(shares=(0.0, 1.1)), 'shares is'),
        (dict(shares=(0.5,)), 'shares is'),
        (dict(start_epoch=-1), 'start_epoch is -1'),
        (dict(start_epoch=3, end_epoch=2), 'end_epoch is 2'),
    ],
)
def test_impossible_settings_are_refused(settings: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AcceptanceSchedule(**settings)
