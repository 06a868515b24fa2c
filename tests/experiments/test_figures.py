"""Mean, spread and interval against the statistics module and a table of Student's t."""

from __future__ import annotations

import math
import statistics

import pytest

from mochi_mm.experiments.figures import (
    FIGURES,
    cell,
    half_interval,
    mean_and_spread,
    table,
)
from mochi_mm.experiments.suites import Setting


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


def test_cells() -> None:
    seeds = {0: {'acc_contrast': 0.25}, 1: {'acc_contrast': 0.35}, 2: {}}
    assert cell(FIGURES['acc_contrast'], seeds) == '30.0 ± 7.1'
    assert cell(FIGURES['acc_contrast'], {0: seeds[0]}) == '25.0 ± n/a'
    assert cell(FIGURES['uniformity/backbone'], seeds) == '-'


def test_missing_seeds_are_named_in_the_table() -> None:
    settings = [Setting('a', 'A', 'a.py'), Setting('b', 'B', 'b.py')]
    values = {'a': {seed: {'knn/top1_k20': 50.0 + seed} for seed in (0, 1, 2)}, 'b': {1: {}}}
    lines = table(settings, values, [0, 1, 2]).splitlines()
    assert lines[2].startswith('| A | 3 of 3 | 51.0 ± 1.0 | - |')
    assert lines[3].startswith('| B | 1 of 3, **missing: 0, 2** | - |')
    assert {line.count(' | ') for line in lines} == {len(FIGURES) + 1}
