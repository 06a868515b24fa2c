"""Bars begin at zero, share a scale and carry their values; a sentence says when they are of."""

from __future__ import annotations

import math

from mochi_mm.visualization.report.bars import Bar, bars_of, places
from mochi_mm.visualization.report.chart import Chart, Series


def chart(*values: float, factor: float = 1.0) -> Chart:
    series = [Series(run, [3.0], [value], 'layer') for run, value in enumerate(values)]
    return Chart('title', series, 'epochs', 'share (%)', factor)


def test_one_scale_that_holds_zero() -> None:
    assert bars_of(chart(0.5, -0.25, math.nan, 0.0, factor=100)) == [
        ('layer', [Bar(0, '50 %', 33.33, 66.67), Bar(1, '-25 %', 0.0, 33.33),
                   Bar(2, 'not finite', 0.0, 0.0), Bar(3, '0 %', 33.33, 0.0)]),
    ]  # fmt: skip
    assert [(bar.left, bar.width) for bar in bars_of(chart(-2.0, -1.0))[0][1]] == [
        (0.0, 100.0),
        (50.0, 50.0),
    ]
    assert bars_of(chart(math.inf))[0][1] == [Bar(0, 'not finite', 0.0, 0.0)]
    assert bars_of(chart(0.0))[0][1] == [Bar(0, '0 %', 0.0, 0.0)]


def test_lines_beside_a_single_value_stay_lines() -> None:
    series = [Series(0, [1, 2], [1, 2]), Series(1, [2], [5])]
    mixed = Chart('title', series, 'epochs', 'loss (nats)')
    assert mixed.drawn() == series[:1] and bars_of(mixed) == [('', [Bar(1, '5 nats', 0, 100)])]
    plane = Chart('title', series, 'x', 'y', path=True)  # an analysis is a dot in a plane
    assert plane.drawn() == series and bars_of(plane) == []


def test_when_they_were_measured() -> None:
    series = [Series(0, [3.0], [1.0]), Series(1, [5.0], [1.0])]
    assert places(series, ['a', 'b'], 'epochs').endswith('(epochs): a 3, b 5.')
    assert places(series[:1], ['a'], 'epochs') == 'One value a run, after 3 epochs.'
    line = Series(2, [1, 2], [1, 2])
    sentence = 'Bars: runs with one value, after so many epochs: a 3, b 5.'
    assert places([*series, line], ['a', 'b', 'c'], 'epochs') == sentence
    assert places([line], ['a', 'b', 'c'], 'epochs') == ''
