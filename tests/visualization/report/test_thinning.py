"""Long curves are thinned to what one sees: ends, lowest, highest and gaps stay."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mochi_mm.visualization.report.chart import Chart, Series
from mochi_mm.visualization.report.thinning import MOST, thinned


@pytest.mark.parametrize('count', [1, MOST, MOST + 1, 3 * MOST + 7])
def test_what_stays(count: int) -> None:
    rng = np.random.default_rng(0)
    y = rng.standard_normal(count)
    y[count // 2] = 50.0
    if count > MOST:
        y[count // 3], y[7] = -50.0, math.nan
    x, values = thinned(list(range(count)), y.tolist())
    assert len(x) == len(values) <= MOST and x == sorted(set(x))
    assert (x[0], x[-1]) == (0, count - 1)
    np.testing.assert_array_equal(values, y[x])  # values that were measured, at their places
    assert max(v for v in values if v == v) == 50.0
    assert count <= MOST or (min(v for v in values if v == v) == -50.0 and np.isnan(values).any())


def test_a_curve_of_gaps() -> None:
    x, y = thinned(list(range(40)), [math.nan] * 40, most=9)
    assert x == [0, 19, 39] and all(map(math.isnan, y))


def test_what_cannot_be_drawn_is_a_gap() -> None:
    series = [Series(0, [1, 2, 3, 4], [0.1, math.nan, math.inf, -1 / 3])]
    plain = Chart('t', series, 'epochs', 'share (%)', factor=100)
    assert plain.data()['lines'][0]['y'] == [10.0, None, None, -33.3333]
    assert Chart('t', series, 'x', 'y', log='y').data()['lines'][0]['y'] == [0.1, None, None, None]
