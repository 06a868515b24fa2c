"""When a course reaches a level, and what is said of the seeds."""

from __future__ import annotations

import math

import pytest

from mochi_mm.experiments.figures import Values
from mochi_mm.experiments.reaching import curve_of, epochs_to, reaching
from mochi_mm.experiments.setting import Setting

A, B = Setting('a', 'A', 'a.py'), Setting('b', 'B', 'b.py', against='a')
CURVE = [(2.0, 10.0), (4.0, 12.0), (6.0, 11.0), (8.0, 15.0)]


@pytest.mark.parametrize(
    ('level', 'epoch'),
    [(9.0, 2.0), (10.0, 2.0), (11.5, 3.5), (12.0, 4.0), (13.0, 7.0), (15.0, 8.0)],
)
def test_the_first_time_counts(level: float, epoch: float) -> None:
    assert epochs_to(CURVE, level) == pytest.approx(epoch)


def test_a_level_that_is_not_reached() -> None:
    assert math.isnan(epochs_to(CURVE, 15.1)) and math.isnan(epochs_to([], 0.0))


def values(**ends: tuple[float, ...]) -> Values:
    return {
        name: {
            seed: {f'acc at epoch {e}': end * e / 10 for e in (5, 10)}
            for seed, end in enumerate(last)
        }
        for name, last in ends.items()
    }


def test_courses_are_read_in_the_order_of_epochs() -> None:
    found = {
        'acc at epoch 10': 2.0,
        'acc at epoch 2.5': 1.0,
        'acc': 7.0,
        'other acc at epoch 1': 3.0,
    }
    assert curve_of(found, 'acc') == [(2.5, 1.0), (10.0, 2.0)]


def test_each_seed_is_told_and_the_mean_where_all_reach_it() -> None:
    text = reaching(values(a=(10.0, 10.0), b=(10.0, 20.0)), B, A, 'acc')
    assert 'in 2 of 2 seeds; at epoch 0: 10.0, 1: 5.0; mean 7.5, 95 % interval' in text
    text = reaching(values(a=(10.0, 10.0), b=(9.0, 20.0)), B, A, 'acc')
    assert 'in 1 of 2 seeds; at epoch 0: never, 1: 5.0: no mean is given' in text
    assert reaching({}, B, A, 'acc').startswith('**not measured**')
