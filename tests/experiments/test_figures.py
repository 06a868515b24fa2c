"""Mean, spread and interval against the statistics module and a table of Student's t."""

from __future__ import annotations

import math
import statistics

import pytest

from mochi_mm.experiments.figures import (
    Figure,
    cell,
    half_interval,
    mean_and_spread,
    paired,
    table,
)
from mochi_mm.experiments.setting import Setting


@pytest.mark.parametrize('values', [[1.0, 2.0], [52.1, 51.9, 53.4], [0.1] * 5])
def test_mean_and_spread(values: list[float]) -> None:
    mean, spread = mean_and_spread(values)
    assert mean == pytest.approx(statistics.fmean(values), rel=1e-15)
    assert spread == pytest.approx(statistics.stdev(values), rel=1e-12, abs=1e-15)


def test_one_value_has_no_spread() -> None:
    mean, spread = mean_and_spread([3.0])
    assert mean == 3.0 and math.isnan(spread)
    assert all(map(math.isnan, mean_and_spread([])))


@pytest.mark.parametrize(('count', 'quantile'), [(2, 12.7062), (3, 4.30265), (5, 2.77645)])
def test_interval(count: int, quantile: float) -> None:
    assert half_interval(2.0, count) == pytest.approx(2 * quantile / count**0.5, rel=1e-5)
    assert math.isnan(half_interval(2.0, 1))


SHARE = Figure('acc_contrast', 'accuracy (%)', 'accuracy', 100.0)
KNN = Figure('knn', 'kNN (%)', 'kNN')
GAIN = Figure('knn', 'gain', 'gain', less='before')


def test_cells() -> None:
    seeds = {0: {'acc_contrast': 0.25}, 1: {'acc_contrast': 0.35}, 2: {}}
    assert cell(SHARE, seeds) == '30.0 ± 7.1'
    assert cell(SHARE, {0: seeds[0]}) == '25.0'
    assert cell(KNN, seeds) == '-'


def test_a_difference_has_a_sign_and_needs_both() -> None:
    assert cell(GAIN, {0: dict(knn=50.0, before=30.0), 1: dict(knn=50.0)}) == '+20.0'
    assert cell(GAIN, {0: dict(knn=50.0)}) == '-'
    assert GAIN.of(dict(knn=1.0, before=4.0)) == -3.0


def test_missing_seeds_are_named_in_the_table() -> None:
    settings = [Setting('a', 'A', 'a.py'), Setting('b', 'B', 'b.py')]
    values = {'a': {seed: {'knn': 50.0 + seed} for seed in (0, 1, 2)}, 'b': {1: {}}}
    lines = table(settings, (KNN, SHARE), values, [0, 1, 2]).splitlines()
    assert lines == [
        '| setting | seeds | kNN (%) | accuracy (%) |',
        '| --- | --- | --- | --- |',
        '| A | 3 of 3 | 51.0 ± 1.0 | - |',
        '| B | 1 of 3, **missing: 0, 2** | - | - |',
    ]


def test_pairs_are_of_one_seed() -> None:
    values = {'a': {0: {'x': 1.0}, 1: {'x': 2.0}, 2: {}}, 'b': {1: {'x': 5.0}, 2: {'x': 6.0}}}
    figure = Figure('x', 'x')
    assert paired(values, 'a', 'b', figure, figure) == {1: (2.0, 5.0)}
    assert paired(values, 'a', 'c', figure, figure) == {}
