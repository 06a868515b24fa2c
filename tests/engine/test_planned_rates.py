"""What start-up says of the learning rate is what the schedules do."""

from __future__ import annotations

import math

import pytest

from mochi_mm.engine.planned_rates import beyond_the_end, describe_rates, planned_rates

COSINE = dict(type='CosineAnnealingLR', T_max=4, end=4, by_epoch=True)


def test_a_cosine_by_epoch() -> None:
    rates = planned_rates([COSINE], 0.2, 4, 3)
    assert rates == pytest.approx([0.1 * (1 + math.cos(math.pi * (i // 3) / 4)) for i in range(12)])
    said = describe_rates(rates, 4, 12)
    assert (
        said
        == 'learning rate: 0.2 at the first step, falls from epoch 2 on, 0.0293 at the last step'
    )


def test_a_warm_up_in_iterations_of_a_long_run() -> None:
    """2,000 steps are looked at of 200,000; the warm-up takes the same share of them."""
    warm = dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=10_000)
    steps = dict(type='MultiStepLR', milestones=[120_000, 160_000], gamma=0.1, by_epoch=False)
    rates = planned_rates([warm, steps], 1.0, 0, 200_000)
    assert len(rates) == 2000 and rates[0] == pytest.approx(0.1)
    assert rates[50] == pytest.approx(0.55, abs=0.01) or rates[100] == pytest.approx(1, abs=0.02)
    assert rates[1199] == pytest.approx(1) and rates[1201] == pytest.approx(0.1)
    assert rates[-1] == pytest.approx(0.01)
    said = describe_rates(rates, 0, 200_000)
    assert '0.1 at the first step, 1 from iteration' in said and '0.01 at the last' in said


def test_a_rate_that_never_falls_is_said() -> None:
    steps = dict(type='MultiStepLR', milestones=[60, 80], gamma=0.1)
    assert describe_rates(planned_rates([steps], 30.0, 2, 5), 2, 10).endswith('it never falls')
    assert describe_rates(planned_rates([], 30.0, 2, 5), 2, 10).endswith('it never falls')
    assert beyond_the_end([steps], 2, 10) == ['param_scheduler.0.milestones=[60, 80]']
    assert beyond_the_end([COSINE], 4, 8) == []
    assert beyond_the_end([dict(COSINE, by_epoch=False), dict(COSINE)], 3, 3) == [
        'param_scheduler.0.end=4',
        'param_scheduler.1.end=4',
    ]
